"""Alerting rules by ``/api/alerting/rule``: created under an id, updated without type and consumer, removed."""

from __future__ import annotations

import re

from tests.counterparts.kibana_stack.route import Answer, Json, Refusal, Request, Routes
from tests.counterparts.kibana_stack.schema import check

ROUTES = Routes()
TYPES = {".es-query": ("searchType", "timeWindowSize", "timeWindowUnit", "threshold", "thresholdComparator", "size")}
CONSUMERS = ("alerts", "stackAlerts", "logs", "infrastructure", "observability")
_UPDATE = {
    "name": str,
    "tags": list,
    "schedule": dict,
    "params": dict,
    "actions": list,
    "throttle": str,
    "notify_when": str,
    "alert_delay": dict,
    "flapping": dict,
    "artifacts": dict,
}
_CREATE = {**_UPDATE, "rule_type_id": str, "consumer": str, "enabled": bool}
PLACE = "/api/alerting/rule/{id}"


@ROUTES.add("POST", PLACE, "rules:save")
def create(request: Request) -> Answer:
    """A new rule; ids are unique over all spaces."""
    name, body = request.parts[0], request.body
    check(body, _CREATE, ("name", "rule_type_id", "consumer", "schedule", "params"))
    if any(name in rules for rules in request.stack.rules.values()):
        raise Refusal(409, f"Saved object [alert/{name}] conflict")
    if body["rule_type_id"] not in TYPES:
        raise Refusal(400, f'Rule type "{body["rule_type_id"]}" is not registered.')
    if body["consumer"] not in CONSUMERS:
        raise Refusal(403, f'Unauthorized by "{body["consumer"]}" to create "{body["rule_type_id"]}" rule')
    _check(body, body["rule_type_id"])
    made = {"tags": [], "actions": [], "enabled": True, **body, "id": name, "revision": 0}
    request.stack.rules.setdefault(request.space, {})[name] = made
    return Answer(made)


@ROUTES.add("PUT", PLACE, "rules:save")
def update(request: Request) -> Answer:
    """Another content for a rule; its type, consumer and whether it is enabled stay."""
    found = _found(request)
    check(request.body, _UPDATE, ("name", "schedule", "params"))
    _check(request.body, found["rule_type_id"])
    found |= {"tags": [], "actions": [], **request.body, "revision": found["revision"] + 1}
    return Answer(found)


@ROUTES.add("GET", PLACE, "rules:read")
def get(request: Request) -> Answer:
    """One rule."""
    return Answer(_found(request))


@ROUTES.add("DELETE", PLACE, "rules:save")
def delete(request: Request) -> Answer:
    """Remove a rule."""
    _found(request)
    del request.stack.rules[request.space][request.parts[0]]
    return Answer(status=204)


@ROUTES.add("GET", "/api/alerting/rules/_find", "rules:read")
def find(request: Request) -> Answer:
    """The rules of a space."""
    rows = list(request.stack.rules.get(request.space, {}).values())
    return Answer({"page": 1, "per_page": 10_000, "total": len(rows), "data": rows})


def _found(request: Request) -> Json:
    found = request.stack.rules.get(request.space, {}).get(request.parts[0])
    if found is None:
        raise Refusal(404, f"Saved object [alert/{request.parts[0]}] not found")
    return found


def _check(body: Json, kind: str) -> None:
    check(body["schedule"], {"interval": str}, ("interval",), "request body.schedule")
    if not re.fullmatch(r"[1-9]\d*[smhd]", body["schedule"]["interval"]):
        raise Refusal(400, f"[request body.schedule.interval]: string is not a valid duration: {body['schedule']}")
    wanted = [name for name in TYPES[kind] if name not in body["params"]]
    if body["params"].get("searchType") == "esqlQuery":
        wanted = [name for name in wanted if name in ("timeWindowSize", "timeWindowUnit")]
    if wanted:
        text = "expected at least one defined value but got [undefined]"
        raise Refusal(400, f"params invalid: [{wanted[0]}]: {text}")
