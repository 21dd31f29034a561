"""Where agents enrol and with what: Fleet Server's addresses, outputs, settings, enrolment keys, and Fleet's state."""

from __future__ import annotations

import base64
import secrets
import uuid

from tests.counterparts.kibana_stack.route import Answer, Json, Refusal, Request, Routes
from tests.counterparts.kibana_stack.schema import check
from tests.counterparts.kibana_stack.state import Stack

ROUTES = Routes()
KEYS = "/api/fleet/enrollment_api_keys"


@ROUTES.add("GET", "/api/fleet/check-permissions", "")
def permissions(request: Request) -> Answer:
    """Whether this login may use Fleet; 200 in any case."""
    if not request.stack.secure:
        return Answer({"success": False, "error": "MISSING_SECURITY"})
    seen = ("all", "agents-read", "agent-policies-read", "settings-read")
    may = request.granted(f"api:fleet-{one}" for one in seen)
    return Answer({"success": True} if may else {"success": False, "error": "MISSING_PRIVILEGES"})


@ROUTES.add("POST", "/api/fleet/setup", "")
def setup(request: Request) -> Answer:
    """Fleet, ready for use."""
    return Answer({"isInitialized": True, "nonFatalErrors": []})


@ROUTES.add("GET", "/api/fleet/fleet_server_hosts", "fleet-settings-read")
def hosts(request: Request) -> Answer:
    """Where Fleet Server listens."""
    rows = request.stack.hosts
    return Answer({"items": rows, "total": len(rows), "page": 1, "perPage": 10_000})


@ROUTES.add("GET", "/api/fleet/outputs", "fleet-settings-read")
def outputs(request: Request) -> Answer:
    """Where agents send to."""
    rows = request.stack.outputs
    return Answer({"items": rows, "total": len(rows), "page": 1, "perPage": 10_000})


@ROUTES.add("GET", "/api/fleet/settings", "fleet-settings-read")
def settings(request: Request) -> Answer:
    """Fleet's settings."""
    return Answer(
        {"item": {"id": "fleet-default-settings", "version": "WzEsMV0=", "prerelease_integrations_enabled": False}}
    )


@ROUTES.add("GET", KEYS, "fleet-agents-all")
def every(request: Request) -> Answer:
    """The keys; ``kuery`` may name a policy."""
    request.only("page", "perPage", "kuery")
    rows = list(request.stack.enrolment_keys.values())
    wanted = request.query.get("kuery", "")
    if wanted:
        if not wanted.startswith("policy_id:"):
            raise Refusal(400, f"[request query.kuery]: KQLSyntaxError: {wanted}")
        rows = [one for one in rows if one["policy_id"] == wanted.removeprefix("policy_id:").strip('"')]
    page, size = int(request.query.get("page", "1")), int(request.query.get("perPage", "20"))
    shown = rows[(page - 1) * size : page * size]
    return Answer({"items": shown, "list": shown, "total": len(rows), "page": page, "perPage": size})


@ROUTES.add("GET", KEYS + "/{id}", "fleet-agents-all")
def get(request: Request) -> Answer:
    """One key, with its secret."""
    found = request.stack.enrolment_keys.get(request.parts[0])
    if found is None:
        raise Refusal(404, f"Enrollment api key {request.parts[0]} not found")
    return Answer({"item": found})


@ROUTES.add("POST", KEYS, "fleet-agents-all")
def create(request: Request) -> Answer:
    """A new key; its name is unique in its policy."""
    check(request.body, {"name": str, "policy_id": str, "expiration": str}, ("policy_id",))
    policy, name = request.body["policy_id"], request.body.get("name", "")
    if policy not in request.stack.agent_policies:
        raise Refusal(404, f'Agent policy "{policy}" not found')
    for one in request.stack.enrolment_keys.values():
        if name and one["policy_id"] == policy and one["name"] == f"{name} ({one['id']})":
            raise Refusal(409, f"An enrollment key named {name} already exists for agent policy {policy}")
    return Answer({"item": make_key(request.stack, policy, name), "action": "created"})


@ROUTES.add("DELETE", KEYS + "/{id}", "fleet-agents-all")
def delete(request: Request) -> Answer:
    """Revoke a key: it stays, inactive; with ``forceDelete`` it goes (newer Kibanas)."""
    request.only("forceDelete", "includeHidden")
    if request.parts[0] not in request.stack.enrolment_keys:
        raise Refusal(404, f"Enrollment api key {request.parts[0]} not found")
    request.stack.enrolment_keys[request.parts[0]]["active"] = False
    if request.flag("forceDelete"):
        del request.stack.enrolment_keys[request.parts[0]]
    return Answer({"action": "deleted"})


def make_key(stack: Stack, policy: str, name: str) -> Json:
    """A new key of a policy."""
    key, own = str(uuid.uuid4()), secrets.token_urlsafe(15)
    token = base64.b64encode(f"{own}:{secrets.token_urlsafe(16)}".encode()).decode()
    whole = f"{name} ({key})" if name else key
    made = {"id": key, "api_key_id": own, "api_key": token, "name": whole, "active": True, "policy_id": policy}
    stack.enrolment_keys[key] = {**made, "created_at": "2026-01-01T00:00:00.000Z"}
    return stack.enrolment_keys[key]
