"""The dashboard LM Studio."""

from __future__ import annotations

from statistics import median
from typing import Any, Final

from tests.dashboards.panels.compare import Expected, rank
from tests.dashboards.panels.diary import Diary, Event
from tests.dashboards.panels.expected.tables import Rows, count, grouped, last_event, one_row

Json = dict[str, Any]
# What we call it → what the panel does.
ENDS: Final[dict[str, tuple[str, ...]]] = {
    "answered": ("predicted",),
    "streamed": ("streamed",),
    "other success": ("embeddings", "listed"),
    "client left": ("client-left",),
    "context too small": ("overflow",),
    "no model loaded": ("no-model",),
    "failed": ("generation-failed", "crashed"),
}
LOADS: Final[dict[str, tuple[str, ...]]] = {
    "wanted (JIT)": ("load-wanted",),
    "loaded": ("loaded",),
    "unloaded": ("unloaded",),
    "failed": ("load-failed",),
}
ERRORS: Final = {
    "load-failed": "model-load-failed",
    "crashed": "model-crashed",
    "engine-exited": "engine-exited",
    "overflow": "context-overflow",
    "generation-failed": "generation-failed",
    "no-model": "no-model-loaded",
}


def expected(day: Diary) -> dict[str, Expected]:
    """Panel → what it ought to show."""
    received = _of(day, "received")
    speeds = [one.facts["speed"] for one in day.studio if "speed" in one.facts]
    firsts = [one.facts["first"] for one in day.studio if "first" in one.facts]
    read, made = used(day)
    return {
        "events": Expected(one_row(Events=count(day.studio))),
        "requests": Expected(one_row(Requests=count(received))),
        "failures": Expected(one_row(Failures=count(failures(day)))),
        "crashes": Expected(one_row(Crashes=count(_of(day, "crashed", "engine-exited")))),
        "speed": Expected(one_row(Median=rank(speeds, 50))),
        "tokens": Expected(one_row(Tokens=made)),
        "outcomes": Expected(_filters(day, ENDS)),
        "models": Expected(grouped(day.studio, _of_a_model, _model)),
        "tokens-over-time": Expected(one_row(In=read, Out=made)),
        "speed-over-time": Expected(grouped(day.studio, _with_speed, _median), over="all"),
        "first-token": Expected(one_row(p50=rank(firsts, 50), p95=rank(firsts, 95)), over="all"),
        "lengths": Expected(grouped(day.studio, _hundred, lambda of: {"Requests": count(of)})),
        "loads": Expected(_filters(day, LOADS)),
        "loaded-models": Expected(
            grouped(_of(day, *(name for one in LOADS.values() for name in one)), _model_key, _loads)
        ),
        "endpoints": Expected(grouped(day.studio, _endpoint, _called)),
        "errors": Expected(grouped(failures(day), lambda one: (ERRORS[one.what],), _error)),
        "plugins": Expected(grouped(_of(day, "plugin-said", "plugin-failed"), lambda one: (one.of, "error"), _plugin)),
    }


def failures(day: Diary) -> list[Event]:
    """Failures of the server, not of plugins."""
    return [one for one in day.studio if one.bad and one.what != "plugin-failed"]


def used(day: Diary) -> tuple[int, int]:
    """Tokens of prompts and of answers."""
    told = [one.facts for one in day.studio if "in" in one.facts]
    return sum(one["in"] for one in told), sum(one["out"] for one in told)


def _of(day: Diary, *what: str) -> list[Event]:
    return [one for one in day.studio if one.what in what]


def _filters(day: Diary, named: dict[str, tuple[str, ...]]) -> Rows:
    return {(name,): {"Events": count(_of(day, *what))} for name, what in named.items()}


def _model_key(one: Event) -> tuple[str]:
    return (one.of,)


def _of_a_model(one: Event) -> tuple[str] | None:
    """Plugins are no models."""
    return None if one.what.startswith("plugin") else (one.of,)


def _model(of: list[Event]) -> Json:
    received = count(one for one in of if one.what == "received")
    told = [one.facts for one in of if "in" in one.facts]
    tokens = {"Tokens in": sum(one["in"] for one in told), "Tokens out": sum(one["out"] for one in told)}
    return {"Requests": received, "Failures": count(one for one in of if one.bad), **tokens}


def _with_speed(one: Event) -> tuple[str] | None:
    return (one.of,) if "speed" in one.facts else None


def _median(of: list[Event]) -> Json:
    return {"Median": median(one.facts["speed"] for one in of)}


def _hundred(one: Event) -> tuple[str] | None:
    return (f"{one.facts['in'] // 100 * 100:g}",) if "in" in one.facts else None


def _loads(of: list[Event]) -> Json:
    counts = {label: count(one for one in of if one.what == what) for label, what in
              (("Loads", "loaded"), ("Unloads", "unloaded"), ("Failed", "load-failed"))}  # fmt: skip
    return {**counts, "Last": last_event(of)}


def _endpoint(one: Event) -> tuple[str, str] | None:
    return (one.facts["path"], one.facts["method"]) if "path" in one.facts else None


def _called(of: list[Event]) -> Json:
    return {"Requests": count(of), "Not served": count(one for one in of if one.what == "unknown")}


def _error(of: list[Event]) -> Json:
    return {"Errors": count(of), "Last": last_event(of), "Models": len({one.of for one in of if one.of})}


def _plugin(of: list[Event]) -> Json:
    return {"Events": count(of), "Failed": count(one for one in of if one.what == "plugin-failed")}
