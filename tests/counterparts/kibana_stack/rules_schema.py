"""What an Elasticsearch query rule's params and a rule's actions may be, as Kibana's schemas say."""

from __future__ import annotations

from typing import Any

from tests.counterparts.kibana_stack.route import Json, Refusal
from tests.counterparts.kibana_stack.schema import check

PARAMS = {
    "size": int,
    "timeWindowSize": int,
    "timeWindowUnit": str,
    "excludeHitsFromPreviousRun": bool,
    "threshold": list,
    "thresholdComparator": str,
    "aggType": str,
    "aggField": str,
    "groupBy": str,
    "termField": object,
    "termSize": int,
    "searchType": str,
    "timeField": str,
    "sourceFields": list,
}
NEEDED = ("size", "timeWindowSize", "timeWindowUnit", "threshold", "thresholdComparator")
OWN: dict[str, dict[str, type]] = {
    "esqlQuery": {"esqlQuery": dict},
    "searchSource": {"searchConfiguration": dict},
    "esQuery": {"esQuery": str, "index": list, "timeField": str},
}
DEFAULTS = {"excludeHitsFromPreviousRun": True, "aggType": "count", "groupBy": "all", "searchType": "esQuery"}
ACTION = {
    "group": str,
    "id": str,
    "params": dict,
    "frequency": dict,
    "uuid": str,
    "alerts_filter": dict,
    "use_alert_data_for_template": bool,
}


def with_defaults(params: Json) -> Json:
    """As they are stored."""
    return {**DEFAULTS, **params}


def check_action(action: Any, place: str) -> None:
    """Raises: Refusal; also for what an answer has, and a request must not."""
    check(action, ACTION, ("id",), place)


def check_params(params: Json) -> None:
    """Raises: Refusal for params that the type does not know, lacks or cannot mean."""
    own = OWN.get(params.get("searchType", "esQuery"))
    if own is None:
        raise Refusal(400, "params invalid: [searchType]: types that failed validation")
    try:
        check(params, {**PARAMS, **own}, (*NEEDED, *own), "params")
        if "esqlQuery" in own:
            check(params["esqlQuery"], {"esql": str}, ("esql",), "params.esqlQuery")
    except Refusal as refusal:
        raise Refusal(400, f"params invalid: {refusal}") from refusal
    wrong = _meaning(params)
    if wrong:
        raise Refusal(400, f"params invalid: {wrong}")


def _meaning(params: Json) -> str:
    if params["timeWindowUnit"] not in ("s", "m", "h", "d"):
        return "[timeWindowUnit]: invalid timeWindowUnit"
    if params.get("searchType") != "esqlQuery":
        return "[groupBy]: groupBy should be all or top" if params.get("groupBy") == "row" else ""
    if not params.get("timeField"):
        return "[timeField]: is required"
    if params["thresholdComparator"] != ">":
        return "[thresholdComparator]: is required to be greater than"
    return "" if params["threshold"][:1] == [0] else "[threshold]: is required to be 0"
