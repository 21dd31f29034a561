"""Fleet's agent policies. A new one gets an enrolment key of its own."""

from __future__ import annotations

import re
import uuid

from tests.counterparts.kibana_stack.enrolment import make_key
from tests.counterparts.kibana_stack.packages import require_security
from tests.counterparts.kibana_stack.route import Answer, Json, Refusal, Request, Routes
from tests.counterparts.kibana_stack.schema import check

ROUTES = Routes()
ROOT = "/api/fleet/agent_policies"
KEYS: dict[str, type] = {
    **dict.fromkeys(("id", "name", "namespace", "description", "data_output_id", "monitoring_output_id"), str),
    **dict.fromkeys(("download_source_id", "fleet_server_host_id"), str),
    **dict.fromkeys(("is_managed", "is_default", "has_fleet_server", "is_protected", "force", "bumpRevision"), bool),
    **dict.fromkeys(("unenroll_timeout", "inactivity_timeout"), int),
    **dict.fromkeys(("monitoring_enabled", "agent_features", "global_data_tags", "space_ids"), list),
    **dict.fromkeys(("overrides", "advanced_settings", "monitoring_http", "monitoring_diagnostics"), dict),
}
_NAMESPACE = re.compile(r"[a-z0-9_.]{1,100}")


@ROUTES.add("POST", ROOT, "fleet-agent-policies-all")
def create(request: Request) -> Answer:
    """A new agent policy."""
    require_security(request.stack)
    request.only("sys_monitoring")
    _check(request.body)
    policies = request.stack.agent_policies
    name = request.body.get("id") or str(uuid.uuid4())
    _unique(policies, request.body["name"], "")
    if name in policies:
        raise Refusal(409, f"Saved object [fleet-agent-policies/{name}] conflict")
    if request.flag("sys_monitoring") and "system" not in request.stack.packages:
        raise Refusal(502, "Error connecting to package registry: getaddrinfo ENOTFOUND epr.elastic.co")
    made: Json = {"inactivity_timeout": 1209600, "is_managed": False, "is_protected": False, **request.body}
    made |= {"id": name, "status": "active", "revision": 1, "updated_by": "elastic", "schema_version": "1.1.1"}
    policies[name] = made
    make_key(request.stack, name, "Default")
    return Answer({"item": made})


@ROUTES.add("GET", ROOT, "fleet-agent-policies-read")
def every(request: Request) -> Answer:
    """All of them."""
    rows = [_shown(request, one) for one in request.stack.agent_policies.values()]
    return Answer({"items": rows, "total": len(rows), "page": 1, "perPage": 20})


@ROUTES.add("GET", ROOT + "/{id}", "fleet-agent-policies-read")
def get(request: Request) -> Answer:
    """One of them."""
    return Answer({"item": _shown(request, _found(request, request.parts[0]))})


@ROUTES.add("PUT", ROOT + "/{id}", "fleet-agent-policies-all")
def update(request: Request) -> Answer:
    """Other values for what is named."""
    found = _found(request, request.parts[0])
    _check(request.body)
    _unique(request.stack.agent_policies, request.body["name"], found["id"])
    found |= {key: value for key, value in request.body.items() if key not in ("id", "force", "bumpRevision")}
    found["revision"] += 1
    return Answer({"item": found})


@ROUTES.add("POST", ROOT + "/delete", "fleet-agent-policies-all")
def delete(request: Request) -> Answer:
    """Remove one that no agent has, with its package policies and keys."""
    check(request.body, {"agentPolicyId": str, "force": bool}, ("agentPolicyId",))
    stack, name = request.stack, request.body["agentPolicyId"]
    found = _found(request, name)
    if stack.agents.get(name):
        raise Refusal(400, "Cannot delete an agent policy that is assigned to any active or inactive agents")
    for key, one in list(stack.package_policies.items()):
        if one["policy_ids"] == [name]:
            del stack.package_policies[key]
        elif name in one["policy_ids"]:
            one["policy_ids"].remove(name)
    for key in [key for key, one in stack.enrolment_keys.items() if one["policy_id"] == name]:
        del stack.enrolment_keys[key]
    del stack.agent_policies[name]
    return Answer({"id": name, "name": found["name"]})


def _found(request: Request, name: str) -> Json:
    if name not in request.stack.agent_policies:
        raise Refusal(404, "Agent policy not found")
    return request.stack.agent_policies[name]


def _check(body: Json) -> None:
    check(body, KEYS, ("name", "namespace"))
    if not body["name"].strip():
        raise Refusal(400, "[request body.name]: value has length [0] but it must have a minimum length of [1].")
    if not _NAMESPACE.fullmatch(body["namespace"]):
        raise Refusal(400, "[request body.namespace]: Namespace contains invalid characters")


def _unique(policies: dict[str, Json], name: str, own: str) -> None:
    for one in policies.values():
        if one["name"] == name and one["id"] != own:
            raise Refusal(409, f"Agent policy '{name}' already exists with id '{one['id']}'")


def _shown(request: Request, one: Json) -> Json:
    used = [row for row in request.stack.package_policies.values() if one["id"] in row["policy_ids"]]
    return {**one, "agents": request.stack.agents.get(one["id"], 0), "package_policies": [row["id"] for row in used]}
