"""The dashboard Overview."""

from __future__ import annotations

from typing import Any

from tests.dashboards.panels.compare import Expected, rank
from tests.dashboards.panels.diary import Call, Diary
from tests.dashboards.panels.expected.lmstudio import failures, used
from tests.dashboards.panels.expected.proxy import NS, certificate, cut, deeds, durations, first_byte, share
from tests.dashboards.panels.expected.tables import Rows, count, grouped, last, one_row
from tests.dashboards.panels.expected.vllm import fullest, queue, servers_up, token_rates

Json = dict[str, Any]


def expected(day: Diary) -> dict[str, Expected]:
    """Panel → what it ought to show."""
    calls, asked = day.calls, day.model_calls()
    first = {f"p{percent}": first_byte(day, percent) for percent in (50, 95, 99)}
    read, made = used(day)
    return {
        "requests": Expected({(): {"Calls of the model": count(asked)}}),
        "failed": Expected(one_row(Failed=share(asked, lambda one: one.status >= 500))),
        "cut": cut(day),
        "engines-up": Expected(one_row(Up=servers_up())),
        "lmstudio-failures": Expected(one_row(Failures=count(failures(day)))),
        "first-byte": Expected(one_row(p95=first_byte(day, 95))),
        "certificate": certificate(day),
        "requests-over-time": Expected(_outcomes(calls)),
        "times": Expected(durations(day), over="all"),
        "first-bytes": Expected({(): first}, over="all"),
        "vllm-tokens": Expected(token_rates(day, "In", "Out"), over="each"),
        "lmstudio-tokens": Expected(one_row(In=read, Out=made)),
        "queue": Expected(queue(day), over="all"),
        "kv-cache": Expected({(): {"Fullest engine": fullest(day)}}, over="all"),
        "tokens": Expected(grouped(calls, lambda one: (one.label,), lambda of: _token(day, of))),
        "sources": Expected(grouped(calls, lambda one: (one.source,), _source)),
        "deeds": Expected(deeds(day)),
    }


def _outcomes(calls: list[Call]) -> Rows:
    parts = {"answered": range(400), "refused": range(400, 500), "failed": range(500, 600)}
    return {(name,): {"Requests": count(one for one in calls if one.status in part)} for name, part in parts.items()}


def _token(day: Diary, of: list[Call]) -> Json:
    times = [one * NS for one in day.logged("duration", lambda line: line["token"] == of[0].label)]
    failed = share(of, lambda one: one.bad)
    return {"Requests": count(of), "Failed": failed, "Time p95": rank(times, 95), "Last seen": last(of)}


def _source(of: list[Call]) -> Json:
    return {"Requests": count(of), "Denied": count(one for one in of if one.denied), "Last seen": last(of)}
