"""The dashboard Troubleshooting."""

from __future__ import annotations

from typing import Any, Final

from tests.dashboards.panels.compare import Expected, Range
from tests.dashboards.panels.diary import Call, Diary, Event, number
from tests.dashboards.panels.expected.proxy import CODES, NS, REASONS, SILENT
from tests.dashboards.panels.expected.tables import Rows, count, grouped, last_event, one_row

Json = dict[str, Any]
DATASET: Final = "local_llm."


def expected(day: Diary) -> dict[str, Expected]:
    """Panel → what it ought to show."""
    failed = {name: count(of) for name, of in _failures(day).items()}
    refused = count(one for one in day.calls if one.bad and one.denied)
    return {
        "proxy-failures": Expected(one_row(Failed=failed["proxy_access"] - refused)),
        "vllm-failures": Expected(one_row(Failed=failed["vllm"])),
        "lmstudio-failures": Expected(one_row(Failed=failed["lmstudio"])),
        "unparsed": Expected(one_row(Pipeline_errors=day.gave_up)),
        "at-the-proxy": Expected(_at_the_proxy(day)),
        "in-the-error-log": Expected(_in_the_error_log(day)),
        "at-vllm": Expected(grouped(day.engine, lambda one: (one.facts.get("id", ""),), _lines)),
        "failures-over-time": Expected(
            {(f"{DATASET}{name}",): {"Failures": number} for name, number in failed.items()}
        ),
        "codes": Expected(_codes(day)),
        "pipeline-errors": Expected({(f"{DATASET}audit",): _arrived(day.gave_up, day.deeds)}),
        "arriving": Expected(_arriving(day)),
        "metrics-arriving": Expected(_metrics(day)),
    }


def _failures(day: Diary) -> dict[str, list[Any]]:
    return {
        "proxy_access": [one for one in day.calls if one.bad],
        "proxy_error": [one for one in day.errors if one.bad],
        "lmstudio": [one for one in day.studio if one.bad],
        "vllm": [one for one in day.engine if one.bad],
    }


def _at_the_proxy(day: Diary) -> Rows:
    known = {one.id: one for one in day.calls}
    rows: Rows = {}
    for name, line in day.log.items():
        call = known.get(name)
        at = float(line["epoch"])
        times = {f"upstream_{what}_time": number(line[f"upstream_{what}_time"]) for what in
                 ("connect", "header", "response")}  # fmt: skip
        status = call.status if call else line["status"]
        rows[name, str(line["connection"]), str(status)] = {
            "At": Range(at - 0.002, at + 0.002),
            "Whole": float(line["duration"]) * NS,
            "Connected": times["upstream_connect_time"],
            "First byte": times["upstream_header_time"],
            "Engine": times["upstream_response_time"],
            "Asked": day.addresses[call.proxy] if call and call.ended_by != "proxy" else line["upstream"] or None,
            "Error": code(call) if call else "client_abort",
        }
    return rows


def code(call: Call) -> str | None:
    """The code of a call that went wrong."""
    if not call.bad:
        return None
    if call.whole and call.ended_by == "engine":
        return f"engine_{call.status}"
    known = {**CODES, 400: "bad_request", 413: "body_too_large", 499: "client_abort", 502: "upstream_failed",
             504: "upstream_timeout", 200: "incomplete"}  # fmt: skip
    return known[call.status]


def _in_the_error_log(day: Diary) -> Rows:
    def key(one: Event) -> tuple[str, ...] | None:
        if one.code in ("", "other"):
            return None
        connection = day.log[one.facts["id"]]["connection"] if one.facts["id"] else one.facts["connection"]
        silent = one.code == "upstream_timeout" and one.facts["reading"]
        return str(connection), one.code, SILENT if silent else REASONS[one.code]

    # Two proxies may count a connection each with the same number, and then they stand in one row.
    return grouped(day.errors, key, lambda of: {"At": last_event(of), "Lines": count(of)})


def _lines(of: list[Event]) -> Json:
    first = min(one.at for one in of)
    return {
        "First": Range(first - 60, first + 60),
        "Last": Range(first - 60, first + 60),
        "Lines": count(of),
        "Errors": 0,
    }


def _codes(day: Diary) -> Rows:
    def numbers(of: list[Any]) -> Json:
        times = [one.ended if isinstance(one, Call) else one.at for one in of]
        return {"Failures": count(of), "Last": Range(max(times) - 1.1, max(times) + 1.1)}

    rows: Rows = {}
    for name, of in _failures(day).items():
        told = [(code(one) or "" if isinstance(one, Call) else one.code, one) for one in of]
        found = grouped(told, lambda pair: (pair[0],), lambda pairs: numbers([one for _, one in pairs]))
        rows |= {(f"{DATASET}{name}", *key): row for key, row in found.items()}
    return rows


def _arriving(day: Diary) -> Rows:
    calls = [Event(one.ended, "call") for one in day.calls]
    events = {"proxy_access": calls, "proxy_error": day.errors, "lmstudio": day.studio, "vllm": day.engine}
    rows: Rows = {(f"{DATASET}{name}",): _arrived(count(of), of) for name, of in events.items()}
    return rows | {(f"{DATASET}audit",): _arrived(count(day.deeds) + day.gave_up, day.deeds)}


def _arrived(events: int, of: list[Event]) -> Json:
    latest = max(one.at for one in of)
    return {"Events": events, "Last": Range(latest - 60, latest + 60)}


def _metrics(day: Diary) -> Rows:
    at = day.scrapes[-1]
    return {
        (server,): {"Documents": made, "Pipeline errors": 0, "Last": Range(at, at)}
        for server, made in day.documents.items()
    }
