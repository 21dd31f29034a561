"""Fleet's package policies: created and updated in the simplified form, upgraded to the version that is installed."""

from __future__ import annotations

import uuid

from tests.counterparts.kibana_stack.packages import found as package_of
from tests.counterparts.kibana_stack.packages import require_security
from tests.counterparts.kibana_stack.route import Answer, Json, Refusal, Request, Routes
from tests.counterparts.kibana_stack.schema import check
from tests.counterparts.kibana_stack.simplified import checked, filled, simple, upgraded

ROUTES = Routes()
ROOT = "/api/fleet/package_policies"
WRITE = "fleet-agent-policies-all,integrations-all"
KEYS: dict[str, type] = {
    **dict.fromkeys(("id", "name", "description", "namespace", "output_id", "policy_id"), str),
    **dict.fromkeys(("vars", "inputs", "package"), dict),
    **dict.fromkeys(("policy_ids", "additional_datastreams_permissions"), list),
    **dict.fromkeys(("force", "supports_agentless"), bool),
}
_PACKAGE = {"name": str, "version": str, "title": str, "requires_root": bool}


@ROUTES.add("POST", ROOT, WRITE)
def create(request: Request) -> Answer:
    """A new package policy in agent policies that are there."""
    require_security(request.stack)
    stack = request.stack
    request.only("format")
    made = _made(request)
    name = request.body.get("id") or str(uuid.uuid4())
    _unique(request, made["name"], "")
    if name in stack.package_policies:
        raise Refusal(409, f"Saved object [fleet-package-policies/{name}] conflict")
    stack.package_policies[name] = {**made, "id": name, "revision": 1, "version": "WzEsMV0=", "enabled": True}
    _bump(request, made["policy_ids"])
    return Answer({"item": _shown(request, stack.package_policies[name])})


@ROUTES.add("GET", ROOT, "fleet-agent-policies-read")
def every(request: Request) -> Answer:
    """All of them, by pages."""
    request.only("page", "perPage", "format", "showUpgradeable", "withAgentCount")
    rows = list(request.stack.package_policies.values())
    page, size = int(request.query.get("page", "1")), int(request.query.get("perPage", "20"))
    shown = [_shown(request, one) for one in rows[(page - 1) * size : page * size]]
    return Answer({"items": shown, "total": len(rows), "page": page, "perPage": size})


@ROUTES.add("GET", ROOT + "/{id}", "fleet-agent-policies-read")
def get(request: Request) -> Answer:
    """One of them; ``format=simplified`` as it was given."""
    return Answer({"item": _shown(request, _found(request, request.parts[0]))})


@ROUTES.add("PUT", ROOT + "/{id}", WRITE)
def update(request: Request) -> Answer:
    """Another content; what is not named has the package's default."""
    request.only("format")
    found = _found(request, request.parts[0])
    made = _made(request)
    _unique(request, made["name"], found["id"])
    found |= {**made, "revision": found["revision"] + 1}
    _bump(request, made["policy_ids"])
    return Answer({"item": _shown(request, found)})


@ROUTES.add("DELETE", ROOT + "/{id}", WRITE)
def delete(request: Request) -> Answer:
    """Remove one; one that is gone is no fault."""
    request.only("force")
    gone = request.stack.package_policies.pop(request.parts[0], None)
    if gone:
        _bump(request, gone["policy_ids"])
    return Answer({"id": request.parts[0]})


@ROUTES.add("POST", ROOT + "/upgrade", WRITE)
def upgrade(request: Request) -> Answer:
    """Bring policies to the version of the package that is installed."""
    check(request.body, {"packagePolicyIds": list}, ("packagePolicyIds",))
    rows = []
    for name in request.body["packagePolicyIds"]:
        found = _found(request, name)
        found |= _upgraded(request, found)
        _bump(request, found["policy_ids"])
        rows.append({"id": name, "name": found["name"], "success": True})
    return Answer(rows)


@ROUTES.add("POST", ROOT + "/upgrade/dryrun", "fleet-agent-policies-read,integrations-read")
def dry_run(request: Request) -> Answer:
    """What an upgrade would make of policies."""
    check(request.body, {"packagePolicyIds": list, "packageVersion": str}, ("packagePolicyIds",))
    rows = []
    for name in request.body["packagePolicyIds"]:
        found = _found(request, name)
        rows.append(
            {"name": found["name"], "hasErrors": False, "diff": [found, {**found, **_upgraded(request, found)}]}
        )
    return Answer(rows)


def _made(request: Request) -> Json:
    body = request.body
    check(body, KEYS, ("name", "package"))
    check(body["package"], _PACKAGE, ("name", "version"), "request body.package")
    package = package_of(request.stack, body["package"]["name"])
    if package.version != body["package"]["version"]:
        text = f"[{package.name}-{body['package']['version']}] package not installed or found in registry"
        raise Refusal(404, text)
    policies = body.get("policy_ids") or ([body["policy_id"]] if body.get("policy_id") else [])
    for name in policies:
        if name not in request.stack.agent_policies:
            raise Refusal(404, "Agent policy not found")
    inputs = checked(package, filled(package, body.get("inputs") or {}))
    return {
        "name": body["name"].strip(),
        "description": body.get("description", ""),
        "namespace": body.get("namespace", ""),
        "policy_id": policies[0] if policies else None,
        "policy_ids": list(policies),
        "output_id": body.get("output_id"),
        "package": {"name": package.name, "title": package.manifest["title"], "version": package.version},
        "inputs": inputs,
    }


def _upgraded(request: Request, found: Json) -> Json:
    package = package_of(request.stack, found["package"]["name"])
    was = found["package"]["version"]
    if was == package.version:
        text = f"package version {was} of package {package.name} is up to date with the installed package."
        raise Refusal(400, f"Package policy {found['id']}'s {text} Please install the latest version first.")
    inputs = upgraded(package, found["inputs"])
    named = {**found["package"], "version": package.version}
    return {"package": named, "inputs": inputs, "revision": found["revision"] + 1}


def _found(request: Request, name: str) -> Json:
    if name not in request.stack.package_policies:
        raise Refusal(404, f"Package policy {name} not found")
    return request.stack.package_policies[name]


def _unique(request: Request, name: str, own: str) -> None:
    if any(one["name"] == name and one["id"] != own for one in request.stack.package_policies.values()):
        text = "already exists. Please rename it or choose a different name."
        raise Refusal(409, f"An integration policy with the name {name} {text}")


def _bump(request: Request, policies: list[str]) -> None:
    for name in policies:
        if name in request.stack.agent_policies:
            request.stack.agent_policies[name]["revision"] += 1


def _shown(request: Request, one: Json) -> Json:
    wanted = request.query.get("format", "legacy")
    if wanted not in ("simplified", "legacy"):
        raise Refusal(400, "[request query.format]: types that failed validation")
    return {**one, "inputs": simple(one["inputs"])} if wanted == "simplified" else one
