"""Fleet's packages: upload, what is installed, objects in further spaces, removal.

A second upload within ten seconds of one that could be read gets 429. An upload that fails leaves what was there. A new
version leaves package policies at the old one, unless they are kept up to date.
"""

from __future__ import annotations

import math
import time
import uuid

from tests.counterparts.kibana_stack import elasticsearch
from tests.counterparts.kibana_stack.archive import Package, assets, parse
from tests.counterparts.kibana_stack.objects import Import
from tests.counterparts.kibana_stack.ownership import check_ownership
from tests.counterparts.kibana_stack.route import Answer, Json, Refusal, Request, Routes
from tests.counterparts.kibana_stack.schema import check
from tests.counterparts.kibana_stack.simplified import upgraded
from tests.counterparts.kibana_stack.state import Stack
from tests.counterparts.kibana_stack.upload_rules import check_upload

ROUTES = Routes()
ROOT = "/api/fleet/epm/packages"
MOST_BYTES = 104_857_600
INSTALL = "integrations-all,fleet-agent-policies-all"
ZIPS = ("application/zip", "application/gzip")
_VIEWS = ("logs-*", "metrics-*")


def require_security(stack: Stack) -> None:
    """Raises: Refusal where Elasticsearch has no security: Fleet needs API keys."""
    if not stack.secure:
        raise Refusal(403, "Forbidden")


@ROUTES.add("POST", ROOT, INSTALL, accepts=ZIPS, most=MOST_BYTES)
def upload(request: Request) -> Answer:
    """Install a package from its zip file."""
    stack = request.stack
    require_security(stack)
    request.only("ignoreMappingUpdateErrors", "skipDataStreamRollover")
    if time.monotonic() - stack.uploaded_at < stack.upload_pause:
        seconds = math.ceil(stack.upload_pause)
        text = f"Too many requests. Please wait {seconds}s before uploading again."
        raise Refusal(429, text, retry_after=str(seconds))
    package = parse(request.data)
    if stack.checks_uploads:
        check_upload(stack, package)
    stack.uploaded_at = time.monotonic()
    if stack.checks_uploads:
        check_ownership(stack, package)
    assets(package, request.data)
    _install(stack, package, request.space)
    if stack.node:
        package.in_node = elasticsearch.install(stack.node, package.version)
    items = [*package.installed_es(), *package.spaces[request.space]]
    return Answer({"items": items, "_meta": {"install_source": "upload", "name": package.name}})


@ROUTES.add("GET", ROOT + "/{name}", "integrations-read")
def info(request: Request) -> Answer:
    """What is installed, or can be had."""
    return Answer({"item": _info(request.stack, request.parts[0])})


@ROUTES.add("PUT", ROOT + "/{name}", "integrations-all")
def settings(request: Request) -> Answer:
    """Change how a package behaves."""
    package = found(request.stack, request.parts[0])
    check(request.body, {"keepPoliciesUpToDate": bool, "namespace_customization_enabled_for": list})
    package.keep_policies = bool(request.body.get("keepPoliciesUpToDate"))
    return Answer({"item": _info(request.stack, package.name)})


@ROUTES.add("POST", ROOT + "/{name}/{version}/kibana_assets", INSTALL)
def further_space(request: Request) -> Answer:
    """The package's objects in the space of the request, too."""
    package = found(request.stack, request.parts[0])
    if request.parts[1] != package.version:
        raise Refusal(404, f"Installation with version {request.parts[1]} of {package.name} not found")
    if request.body is not None:
        check(request.body, {"force": bool, "space_ids": list})
    package.spaces[request.space] = _objects(request.stack, package, request.space)
    return Answer({"success": True})


@ROUTES.add("DELETE", ROOT + "/{name}/{version}", INSTALL)
def remove(request: Request) -> Answer:
    """Remove a package with its policies, unless agents use them."""
    stack, name = request.stack, request.parts[0]
    if name not in stack.packages:
        raise Refusal(400, f"{name} is not installed")
    package: Package = stack.packages[name]
    policies = {key: one for key, one in stack.package_policies.items() if one["package"]["name"] == name}
    used = any(stack.agents.get(policy) for one in policies.values() for policy in one["policy_ids"])
    if used and not request.flag("force"):
        text = "with existing package policy(s) in use by agent(s)"
        raise Refusal(400, f"Unable to remove package {name}:{request.parts[1]} {text}")
    for key in policies:
        del stack.package_policies[key]
    _forget(stack, package)
    if stack.node:
        elasticsearch.remove(stack.node, package.in_node)
    del stack.packages[name]
    return Answer({"items": package.installed_es()})


def found(stack: Stack, name: str) -> Package:
    """An installed package. Raises: Refusal."""
    if name not in stack.packages:
        raise Refusal(404, f"[{name}] package not installed or found in registry")
    package: Package = stack.packages[name]
    return package


def _install(stack: Stack, package: Package, space: str) -> None:
    before: Package | None = stack.packages.get(package.name)
    spaces = list(before.spaces) if before else [space]
    if before:
        package.keep_policies = before.keep_policies
        _forget(stack, before)
    for one in dict.fromkeys([*spaces, space]):
        package.spaces[one] = _objects(stack, package, one)
    for policy in stack.package_policies.values() if package.keep_policies else ():
        if policy["package"]["name"] == package.name:
            policy["package"] = {**policy["package"], "version": package.version}
            policy["inputs"] = upgraded(package, policy["inputs"])
    stack.pipelines |= package.pipelines
    stack.packages[package.name] = package


def _objects(stack: Stack, package: Package, space: str) -> list[Json]:
    """Import into a space, as Fleet's importer does: over what is there, with data views and a managed tag."""
    inside = stack.inside(space)
    for view in _VIEWS:
        body = {"type": "index-pattern", "id": view, "attributes": {"title": view, "timeFieldName": "@timestamp"}}
        inside.setdefault(("index-pattern", view), {**body, "references": []})
    importable = [one for one in package.objects if not one["type"].endswith("_template")]
    done = Import(stack, space, overwrite=True, managed=True).run(importable)
    if not done["success"]:
        raise Refusal(500, f"Encountered {len(done['errors'])} errors creating saved objects: {done['errors']}")
    made: list[Json] = []
    for one in done.get("successResults", []):
        origin = {"originId": one["id"]} if "destinationId" in one else {}
        made.append({"id": one.get("destinationId", one["id"]), "type": one["type"], **origin})
    for one in package.objects:
        if one["type"].endswith("_template"):
            name = one["id"] if space == "default" else str(uuid.uuid5(uuid.NAMESPACE_DNS, one["id"] + space))
            inside[(one["type"], name)] = {**one, "id": name, "managed": True, "namespaces": [space]}
            made.append({"id": name, "type": one["type"]})
    return made


def _forget(stack: Stack, package: Package) -> None:
    for name in package.pipelines:
        stack.pipelines.pop(name, None)
    for space, made in package.spaces.items():
        for one in made:
            stack.inside(space).pop((one["type"], one["id"]), None)


def _info(stack: Stack, name: str) -> Json:
    package = found(stack, name)
    first = next(iter(package.spaces))
    more = {space: made for space, made in package.spaces.items() if space != first}
    about = {
        "type": "epm-packages",
        "name": name,
        "version": package.version,
        "install_status": "installed",
        "install_source": package.source,
        "installed_es": package.installed_es(),
        "installed_kibana": package.spaces[first],
        "installed_kibana_space_id": first,
        "additional_spaces_installed_kibana": more,
        "verification_status": "unverified",
    }
    keys = ("name", "version", "title", "description", "owner", "policy_templates")
    item = {key: package.manifest.get(key) for key in keys}
    return {
        **item,
        "latestVersion": package.version,
        "status": "installed",
        "keepPoliciesUpToDate": package.keep_policies,
        "installationInfo": about,
    }
