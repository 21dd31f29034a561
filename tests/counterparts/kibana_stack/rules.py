"""Alerting rules by ``/api/alerting``: created under an id, updated without type and consumer, switched on and off.

As Kibana does: whoever switches a rule on, or changes one that is on, lends it an API key; params get their defaults;
an action is answered with more than a request may have. Without an encryption key of its own a Kibana answers every
call with a mere 500, and says why in ``_health`` alone, with 400. Read in elastic/kibana, plugin alerting (routes,
create_rule.ts) and kbn-response-ops-rule-params (es_query).
"""

from __future__ import annotations

import re

from tests.counterparts.kibana_stack.route import Answer, Json, Refusal, Request, Routes
from tests.counterparts.kibana_stack.rules_schema import check_action, check_params, with_defaults
from tests.counterparts.kibana_stack.schema import check

ROUTES = Routes()
TYPES = (".es-query",)
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
ROOT = "/api/alerting"
PLACE = f"{ROOT}/rule/{{id}}"
NO_KEY = (
    "Unable to create alerts client because the Encrypted Saved Objects plugin is missing encryption key. Please set "
    "xpack.encryptedSavedObjects.encryptionKey in the kibana.yml or use the bin/kibana-encryption-keys command."
)


@ROUTES.add("GET", f"{ROOT}/_health", "")
def health(request: Request) -> Answer:
    """Whether rules can be kept."""
    if not request.stack.can_encrypt:
        raise Refusal(400, NO_KEY)
    if not request.may(_action("get")):
        raise Refusal(403, "Unauthorized to access alerting framework health")
    return Answer({"is_sufficiently_secure": True, "has_permanent_encryption_key": True})


@ROUTES.add("GET", f"{ROOT}/rule_types", "")
def rule_types(request: Request) -> Answer:
    """The types that the login may see, and for which consumers."""
    _client(request)
    if not request.may(_action("get")):
        return Answer([])
    may = {"read": True, "all": request.may(_action("create"))}
    rows = [{"id": kind, "authorized_consumers": dict.fromkeys(CONSUMERS, may)} for kind in TYPES]
    return Answer([{**row, "enabled_in_license": True, "producer": "stackAlerts"} for row in rows])


@ROUTES.add("POST", PLACE, "")
def create(request: Request) -> Answer:
    """A new rule; ids are unique over all spaces."""
    _client(request)
    name, body = request.parts[0], request.body
    check(body, _CREATE, ("name", "rule_type_id", "consumer", "schedule", "params"))
    if body["rule_type_id"] not in TYPES:
        raise Refusal(400, f'Rule type "{body["rule_type_id"]}" is not registered.')
    if body["consumer"] not in CONSUMERS:
        raise Refusal(403, f'Unauthorized by "{body["consumer"]}" to create "{body["rule_type_id"]}" rule')
    _must(request, "create", body["consumer"])
    _may_tell(request, body)
    _check(body)
    if any(name in rules for rules in request.stack.rules.values()):
        raise Refusal(409, f"Saved object [alert/{name}] conflict")
    made = {"tags": [], "enabled": True, "throttle": None, "notify_when": None, "mute_all": False, **_content(body)}
    made |= {"id": name, "revision": 0, "api_key_owner": None}
    if made["enabled"]:
        _lend(request, made)
    request.stack.rules.setdefault(request.space, {})[name] = made
    return Answer(made)


@ROUTES.add("PUT", PLACE, "")
def update(request: Request) -> Answer:
    """Another content for a rule; its type, consumer and whether it is enabled stay."""
    found = _found(request, "update")
    _may_tell(request, request.body)
    check(request.body, _UPDATE, ("name", "schedule", "params"))
    _check(request.body)
    found |= {"tags": [], **_content(request.body), "revision": found["revision"] + 1}
    if found["enabled"]:
        _lend(request, found)
    return Answer(found)


@ROUTES.add("POST", f"{PLACE}/_enable", "")
def enable(request: Request) -> Answer:
    """Switch a rule on."""
    found = _found(request, "enable")
    _may_tell(request, found)
    found["enabled"] = True
    _lend(request, found)
    return Answer(status=204)


@ROUTES.add("GET", PLACE, "")
def get(request: Request) -> Answer:
    """One rule."""
    return Answer(_found(request, "get"))


@ROUTES.add("DELETE", PLACE, "")
def delete(request: Request) -> Answer:
    """Remove a rule."""
    _found(request, "delete")
    del request.stack.rules[request.space][request.parts[0]]
    return Answer(status=204)


@ROUTES.add("GET", f"{ROOT}/rules/_find", "")
def find(request: Request) -> Answer:
    """The rules of a space."""
    _client(request)
    if not request.may(_action("find")):
        raise Refusal(403, "Unauthorized to find rules for any rule types")
    rows = list(request.stack.rules.get(request.space, {}).values())
    return Answer({"page": 1, "per_page": 10_000, "total": len(rows), "data": rows})


def _client(request: Request) -> None:
    if not request.stack.can_encrypt:
        raise Refusal(500, "An internal server error occurred. Check Kibana server logs for details.")


def _action(operation: str, consumer: str = "stackAlerts") -> str:
    return f"alerting:{TYPES[0]}/{consumer}/rule/{operation}"


def _may_tell(request: Request, rule: Json) -> None:
    """Raises: Refusal for a rule with actions, whose connectors the login may not read."""
    if rule.get("actions") and not request.may("saved_object:action/get"):
        raise Refusal(403, "Unauthorized to get actions")


def _must(request: Request, operation: str, consumer: str) -> None:
    if not request.may(_action(operation, consumer)):
        raise Refusal(403, f'Unauthorized by "{consumer}" to {operation} "{TYPES[0]}" rule')


def _lend(request: Request, rule: Json) -> None:
    rule["api_key_owner"] = request.headers.get("Authorization")


def _found(request: Request, operation: str) -> Json:
    _client(request)
    found = request.stack.rules.get(request.space, {}).get(request.parts[0])
    if found is None:
        raise Refusal(404, f"Saved object [alert/{request.parts[0]}] not found")
    _must(request, operation, found["consumer"])
    return found


def _content(body: Json) -> Json:
    actions = [{**one, "connector_type_id": ".server-log"} for one in body.get("actions", [])]
    return {**body, "params": with_defaults(body["params"]), "actions": actions}


def _check(body: Json) -> None:
    check(body["schedule"], {"interval": str}, ("interval",), "request body.schedule")
    if not re.fullmatch(r"[1-9]\d*[smhd]", body["schedule"]["interval"]):
        raise Refusal(400, f"[request body.schedule.interval]: string is not a valid duration: {body['schedule']}")
    if body.get("alert_delay") is not None:
        check(body["alert_delay"], {"active": int}, ("active",), "request body.alert_delay")
    for number, one in enumerate(body.get("actions", [])):
        check_action(one, f"request body.actions.{number}")
    check_params(body["params"])
