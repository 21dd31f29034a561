"""Units of numbers, and how Kibana's Lens writes them: on axes, in tables, in tiles.

Rules: every number has a unit. ``ns``, ``s``, ``bytes`` and ``share`` say how the field holds the number, and Lens
chooses how to write it (``1.2 s``, ``3.4 MB``, ``5 %``). A rate has its unit behind it (``12.0 tokens/s``). Any other
is a word for what is counted: it stands on the axis, and the number alone in tiles and tables, whose titles say it.
``none`` is for texts and dates alone.
"""

from __future__ import annotations

from typing import Any, Final

_DURATIONS: Final = {"ns": "nanoseconds", "ms": "milliseconds", "s": "seconds"}
WORDS: Final = frozenset(
    {
        "attempts",
        "calls",
        "callers",
        "connections",
        "days",
        "crashes",
        "engines",
        "errors",
        "events",
        "lines",
        "loads",
        "messages",
        "models",
        "preemptions",
        "preemptions/s",
        "processes",
        "requests",
        "requests/min",
        "requests/s",
        "responses",
        "restarts",
        "runs",
        "sources",
        "starts",
        "tokens",
        "tokens/s",
    }
)
TEXT: Final = "none"
UNITS: Final = WORDS | set(_DURATIONS) | {"bytes", "share", TEXT}
_RATES: Final = frozenset(unit for unit in WORDS if "/" in unit)


def lens_format(unit: str) -> dict[str, Any] | None:
    """The ``params.format`` of a Lens column, or nothing for a text.

    Source: supported_formats.ts of Kibana's Lens (duration, bytes, percent, number).
    """
    if unit == TEXT:
        return None
    if unit in _DURATIONS:
        params = {"decimals": 1, "fromUnit": _DURATIONS[unit], "toUnit": "humanizePrecise", "compact": True}
        return {"id": "duration", "params": params}
    if unit == "bytes":
        return {"id": "bytes", "params": {"decimals": 1}}
    if unit == "share":
        return {"id": "percent", "params": {"decimals": 1}}
    if unit in _RATES:
        return {"id": "number", "params": {"decimals": 1, "suffix": f" {unit}"}}
    return {"id": "number", "params": {"decimals": 0}}


def written(value: float, unit: str) -> str:
    """A threshold as a person writes it: ``5 %``, ``30 s``, ``10`` of what is counted."""
    if unit == "share":
        return f"{value * 100:g} %"
    if unit == "ns":
        return f"{value / 1e9:g} s"
    return f"{value:g} {unit}" if unit in _DURATIONS or unit in _RATES or unit == "bytes" else f"{value:g}"
