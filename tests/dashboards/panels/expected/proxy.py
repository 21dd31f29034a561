"""The dashboard Proxy."""

from __future__ import annotations

from collections.abc import Callable
from math import asinh, pi, radians, tan
from statistics import fmean, median
from typing import Any, Final

from tests.dashboards.panels.compare import Expected, Range, rank
from tests.dashboards.panels.diary import OPERATIONS, Call, Diary, Event, number
from tests.dashboards.panels.expected.tables import Rows, count, grouped, last, last_event, one_row

Json = dict[str, Any]
NS: Final = 1e9
CODES: Final = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
                429: "limit_requests"}  # fmt: skip
REASONS: Final = {
    "body_too_large": "The body of the request is larger than the proxy takes.",
    "client_abort": "The client hung up.",
    "limit_requests": "The proxy slowed down or refused a client that asked too often.",
    "other": "The proxy reports a problem of another kind.",
    "upstream_refused": "Nothing listens where the engine should be.",
    "upstream_reset": "The engine broke off.",
    "upstream_timeout": "The engine did not answer in time.",
}
SILENT: Final = "The engine fell silent in the middle of its answer."


def expected(day: Diary) -> dict[str, Expected]:
    """Panel → what it ought to show."""
    calls = day.calls
    return {
        "requests": Expected(one_row(Requests=count(calls))),
        "server-errors": Expected(one_row(Server_errors=share(calls, lambda one: one.status >= 500))),
        "first-byte-p95": Expected(one_row(p95=first_byte(day, 95))),
        "denied": Expected(one_row(Denied=count(one for one in calls if one.denied))),
        "cut": cut(day),
        "certificate": certificate(day),
        "volume": Expected(grouped(calls, lambda one: (one.status,), _requests)),
        "statuses": Expected(_statuses(day)),
        "paths": Expected(grouped(calls, lambda one: (one.path,), lambda of: _path(day, of))),
        "models": Expected(grouped(calls, lambda one: (one.operation,), _requests)),
        "tokens": Expected(grouped(calls, lambda one: (one.label,), lambda of: _token(day, of))),
        "latency": Expected(durations(day), over="all"),
        "upstream": Expected(_upstream(day), over="all"),
        "engines": Expected(_engines(day)),
        "slowest": Expected(_slowest(day), largest="Time"),
        "cut-over-time": Expected(_ways(day)),
        "denied-sources": Expected(_denied(day)),
        "map": Expected(grouped(calls, lambda one: one.place and (_tile(*one.place),), _place)),
        "countries": Expected(grouped(calls, lambda one: (one.country,), _country)),
        "clients": Expected(grouped(calls, lambda one: (one.agent,), _seen)),
        "tls": Expected(grouped(calls, lambda one: (one.tls,), _requests)),
        "error-codes": Expected(_codes(day)),
    }


def cut(day: Diary) -> Expected:
    """Answers that clients saw begin with 200 and that the engine broke off."""
    return Expected(one_row(Cut=count(one for one in day.calls if one.cut)))


def share(calls: list[Call], part: Callable[[Call], bool]) -> float:
    """The part of the calls."""
    return count(one for one in calls if part(one)) / len(calls)


def of_the_model(line: Json) -> bool:
    """Whether a line of the access log is of a call of the model."""
    return line["path"] in OPERATIONS


def first_byte(day: Diary, percent: float) -> Range:
    """A percentile of the time to the engine's first byte."""
    return rank(day.logged("upstream_header_time", of_the_model), percent)


def durations(day: Diary) -> Rows:
    """Percentiles of the time of calls of the model."""
    found = [one * NS for one in day.logged("duration", of_the_model)]
    return one_row(p50=rank(found, 50), p95=rank(found, 95), p99=rank(found, 99))


def deeds(day: Diary) -> Rows:
    """What was done to the installation."""

    def numbers(of: list[Event]) -> Json:
        return {"Runs": count(of), "Last": last_event(of)}

    return grouped(day.deeds, lambda one: (one.what, "failure" if one.bad else "success"), numbers)


def certificate(day: Diary) -> Expected:
    """Days until the certificate ends, from the end of the time range on: all deeds found the same one."""
    return Expected(one_row(Days_left=(day.ends - day.now) / 86400))


def _requests(of: list[Call]) -> Json:
    return {"Requests": count(of)}


def _seen(of: list[Call]) -> Json:
    return {"Requests": count(of), "Last seen": last(of)}


def _statuses(day: Diary) -> Rows:
    words = {401: "no valid token", 403: "refused to this address", 404: "not served", 413: "body too large",
             429: "too many requests", 499: "client hung up", 502: "engine not reached",
             504: "engine too slow"}  # fmt: skip
    rows: Rows = {
        (f"{status} {word}",): {"Requests": count(one for one in day.calls if one.status == status)}
        for status, word in words.items()
    }
    left = count(one for one in day.calls if one.status == 200 and one.ended_by == "client")
    return rows | {("200 but client hung up in it",): {"Requests": left}}


def _path(day: Diary, of: list[Call]) -> Json:
    times = [one * NS for one in day.logged("duration", lambda line: line["path"] == of[0].path)]
    middle = Range(median(times) * 0.99, median(times) * 1.01) if len(times) > 9 else rank(times, 50)
    return {"Requests": count(of), "Failed": share(of, lambda one: one.bad), "Median time": middle}


def _token(day: Diary, of: list[Call]) -> Json:
    # Who left in a stream did not read all of what was sent.
    sent = sum(int(day.log[one.id]["bytes"]) if one.ended_by == "client" and one.id else one.bytes for one in of)
    return {"Requests": count(of), "Failed": share(of, lambda one: one.bad), "Sent": sent, "Last seen": last(of)}


def _upstream(day: Diary) -> Rows:
    named = {"Connecting": "connect", "First byte": "header", "Last byte of the engine": "response"}
    found = {label: day.logged(f"upstream_{what}_time", of_the_model) for label, what in named.items()}
    return {(): {label: rank(values, 95) for label, values in found.items()}}


def _engines(day: Diary) -> Rows:
    def numbers(of: list[Call]) -> Json:
        address = day.addresses[of[0].proxy]
        times = day.logged("upstream_response_time", lambda line: line["upstream"] == address)
        failed = share(of, lambda one: one.status >= 500)
        return {"Requests": count(of), "Failed": failed, "Time p95": rank(times, 95)}

    asked = [one for one in day.calls if one.ended_by != "proxy"]
    return grouped(asked, lambda one: (day.addresses[one.proxy],), numbers)


def _slowest(day: Diary) -> Rows:
    known = {one.id: one for one in day.calls}
    rows: Rows = {}
    for name, line in day.log.items():
        call = known.get(name)
        path, status = (call.path, call.status) if call else (line["path"], line["status"])
        at = float(line["epoch"])
        times = {"Time": float(line["duration"]) * NS, "First byte": number(line["upstream_header_time"])}
        row = {**times, "Answer": int(line["bytes"]), "At": Range(at - 0.002, at + 0.002)}
        if path:
            rows[name, path, str(status)] = row
    return rows


def _ways(day: Diary) -> Rows:
    def found(reading: bool | None, *codes: str) -> Json:
        fits = (one for one in day.errors if one.code in codes and reading in (None, one.facts["reading"]))
        return {"Errors": count(fits)}

    return {
        ("fell silent in an answer",): found(True, "upstream_timeout"),
        ("broke off in an answer",): found(True, "upstream_reset"),
        ("broke off before an answer",): found(False, "upstream_reset"),
        ("client hung up in an answer",): found(True, "client_abort"),
        ("could not be reached",): found(None, "upstream_refused"),
        ("did not answer in time",): found(False, "upstream_timeout"),
    }


def _denied(day: Diary) -> Rows:
    def numbers(of: list[Call]) -> Json:
        return {"Denied": count(of), "Different paths": len({one.path for one in of}), "Last seen": last(of)}

    denied = [one for one in day.calls if one.denied]
    return grouped(denied, lambda one: (one.source, CODES[one.status]), numbers)


def _country(of: list[Call]) -> Json:
    denied = count(one for one in of if one.denied)
    return {"Requests": count(of), "Sources": len({one.source for one in of}), "Denied": denied}


def _tile(latitude: float, longitude: float) -> str:
    """The part of the world, of eight by eight in Mercator, counted from its north-western corner."""
    down = (1 - asinh(tan(radians(latitude))) / pi) / 2
    return f"3/{int((longitude + 180) / 360 * 8)}/{int(down * 8)}"


def _place(of: list[Call]) -> Json:
    places = [one.place for one in of if one.place]
    middle = {"Latitude": fmean(one for one, _ in places), "Longitude": fmean(one for _, one in places)}
    return {"Requests": count(of), **middle}


def _codes(day: Diary) -> Rows:
    def reason(one: Event) -> str:
        silent = one.code == "upstream_timeout" and one.facts.get("reading")
        return SILENT if silent else REASONS[one.code]

    def numbers(of: list[Event]) -> Json:
        return {"Errors": count(of), "Last seen": last_event(of)}

    return grouped([one for one in day.errors if one.code], lambda one: (one.code, reason(one)), numbers)
