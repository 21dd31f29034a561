"""The dashboard vLLM: its metrics from the engines' own count of requests, its log from what was written there."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean, median
from typing import Any, Final

from tests.dashboards.panels.compare import Expected, rank
from tests.dashboards.panels.diary import Diary, Event, Served
from tests.dashboards.panels.engine_metrics import (
    _TOKENS,
    AFRESH,
    ANEW,
    DOWN,
    ENGINES,
    STEP,
    TIMES,
    counted,
    middle,
)
from tests.dashboards.panels.expected.proxy import of_the_model
from tests.dashboards.panels.expected.tables import Rows, count, grouped, last_event, one_row

Json = dict[str, Any]
NS: Final = 1e9
PERCENTILES: Final = (50, 95, 99)


def _hundred(length: float) -> tuple[str]:
    return (f"{length // 100 * 100:g}",)


def expected(day: Diary) -> dict[str, Expected]:
    """Panel → what it ought to show."""
    last = [gauges[-1] for gauges in day.gauges.values()]
    coded = [one for one in day.engine if one.code]
    return {
        "up": Expected(one_row(Up=servers_up())),
        "running": Expected(one_row(Running=sum(one["running"] for one in last))),
        "waiting": Expected(one_row(Waiting=sum(one["waiting"] for one in last))),
        "kv-cache": Expected({(): {"In use": fullest(day)}}),
        "ttft": Expected(one_row(p95=rank(_times(day, "time_to_first_token"), 95))),
        "errors": Expected(one_row(Errors=count(one for one in coded if one.bad))),
        "ttft-over-time": _percentiles(_times(day, "time_to_first_token")),
        "inter-token": _percentiles(_times(day, "inter_token_latency")),
        "e2e": _percentiles(_times(day, "e2e_latency")),
        "tokens": Expected(token_rates(day, "Prompts", "Answers"), over="each"),
        "queue": Expected(queue(day), over="all"),
        "kv-over-time": Expected(
            {key: {"In use": max(one["cache"] for one in found)} for key, found in day.gauges.items()}, over="all"
        ),
        "prefix-cache": Expected(_hits(day), over="each"),
        "preemptions": Expected(_rates(day, {"Preemptions": "preempted"}), over="each"),
        "finished": Expected(_finished(day), over="each"),
        "prompt-lengths": _percentiles([middle(one.prompt, _TOKENS) for one in _in_histograms(day)], (50, 90, 99)),
        "answer-lengths": _percentiles([middle(one.answer, _TOKENS) for one in _in_histograms(day)], (50, 90, 99)),
        "request-lengths": Expected(
            grouped(day.logged("request_bytes", of_the_model), _hundred, lambda of: {"Requests": count(of)})
        ),
        "phases": Expected(_phases(day), over="all"),
        "log-errors": Expected(grouped(coded, lambda one: (one.code,), lambda of: {"Errors": count(of)})),
        "log-codes": Expected(grouped(coded, lambda one: (one.code,), _code)),
        "starts": Expected(_starts(day)),
        "start-times": Expected(grouped(day.engine, _step, _took)),
    }


def servers_up() -> int:
    """Of three servers one is down."""
    return len({server for server, _ in ENGINES} - {DOWN})


def fullest(day: Diary) -> float:
    """The fullest KV cache of the day."""
    return float(max(one["cache"] for found in day.gauges.values() for one in found))


def queue(day: Diary) -> Rows:
    """The most that each engine had, together."""
    most = {
        label: sum(max(one[label.lower()] for one in found) for found in day.gauges.values())
        for label in ("Running", "Waiting")
    }
    return {(): most}


def token_rates(day: Diary, read: str, made: str) -> Rows:
    """Tokens a second of all engines, point by point."""
    return _rates(day, {read: "prompt", made: "answer"})


def _rates(day: Diary, columns: dict[str, str]) -> Rows:
    """What all engines counted between two scrapes; the first scrape has none before it."""
    rows: Rows = {}
    for number in range(1, len(day.scrapes)):
        since = [one for one in day.served if one.scrape == number]
        rows[(_point(day, number),)] = {
            label: float(sum(counted(one, kind) for one in since)) / STEP for label, kind in columns.items()
        }
    return rows


def _point(day: Diary, number: int) -> str:
    """The point of time that a scrape belongs to, in milliseconds."""
    return str(int(day.scrapes[number]) // STEP * STEP * 1000)


def _per_engine(day: Diary, number: int, key: tuple[str, str]) -> list[Served]:
    return [one for one in day.served if one.scrape == number and (one.server, one.engine) == key]


def _hits(day: Diary) -> Rows:
    rows: Rows = {}
    for key in ENGINES:
        for number in range(1, len(day.scrapes)):
            since = _per_engine(day, number, key)
            looked, hits = (sum(counted(one, kind) for one in since) for kind in ("prompt", "hits"))
            if looked:
                name = (*key, _point(day, number))
                rows[name] = {"Hits": hits / looked}
    return rows


def _finished(day: Diary) -> Rows:
    rows: Rows = {}
    for key in ENGINES:
        for number in range(1, len(day.scrapes)):
            for reason in ("stop", "length"):
                done = count(one for one in _per_engine(day, number, key) if one.reason == reason)
                name = (reason, *key, _point(day, number))
                rows[name] = {"Requests": done / STEP}
    return rows


def _in_histograms(day: Diary) -> list[Served]:
    """The collector counts nothing of the first scrape after a server began anew."""
    return [one for one in day.served if (one.server, one.engine, one.scrape) != (*ANEW, AFRESH)]


def _times(day: Diary, name: str) -> list[float]:
    assert name in TIMES
    return [one.times[name] for one in _in_histograms(day)]


def _percentiles(values: list[float], percents: tuple[int, ...] = PERCENTILES) -> Expected:
    return Expected({(): {f"p{percent}": rank(values, percent) for percent in percents}}, over="all")


def _phases(day: Diary) -> Rows:
    named = {"In the queue": "queue_time", "Reading the prompt": "prefill_time", "Writing the answer": "decode_time"}
    return {(): {label: fmean(_times(day, name)) for label, name in named.items()}}


def _code(of: list[Event]) -> Json:
    return {"Errors": count(of), "Processes": len({one.of for one in of}), "Last": last_event(of)}


def _starts(day: Diary) -> Rows:
    def found(fits: Callable[[Event], bool]) -> Json:
        return {"Events": count(filter(fits, day.engine))}

    return {
        ("engine ready",): found(lambda one: one.what == "engine_ready"),
        ("stopped",): found(lambda one: one.what == "stopped"),
        ("start failed",): found(lambda one: one.what == "startup_failed"),
        ("engine dead",): found(lambda one: one.code == "engine_dead"),
    }


def _step(one: Event) -> tuple[str] | None:
    return (one.what,) if one.facts.get("seconds") else None


def _took(of: list[Event]) -> Json:
    seconds = [one.facts["seconds"] for one in of]
    return {"Longest": max(seconds) * NS, "Median": median(seconds) * NS, "Starts": count(of)}
