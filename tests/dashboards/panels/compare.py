"""What a panel shows beside what it ought to: counts exact, other numbers within one percent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Final

from tests.dashboards.panels.asking import Shown

Value = Any
WITHIN: Final = 0.01


@dataclass(frozen=True, slots=True)
class Range:
    """A number from ``low`` to ``high``, where several are right: a time that two clocks tell, a rank between two."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.6g} … {self.high:.6g}"


@dataclass(frozen=True, slots=True)
class Expected:
    """The rows of a panel. ``over`` says how points of time are put together, see asking.py.

    Where a panel has room for fewer groups than ``rows``, any are right,
    unless ``largest`` names the column by which it shows the largest.
    """

    rows: dict[tuple[str, ...], dict[str, Value]]
    over: str = "sum"
    largest: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One number of a panel."""

    panel: str
    key: str
    column: str
    shown: Value
    expected: Value
    right: bool


def lines(name: str, found: Shown, expected: Expected) -> Iterator[Line]:
    """All numbers of a panel, those that are missing or too many as well."""
    table = found.table
    if found.tile:
        expected = replace(expected, rows={(): {found.tile: next(iter(expected.rows[()].values()))}})
    cut = 0 < found.size < len({key[:1] for key in expected.rows})
    for key, row in table.items():
        wanted = expected.rows.get(key, {})
        for column, value in row.items():
            right = column in wanted and agrees(value, wanted[column])
            yield Line(name, " / ".join(key), column, value, wanted.get(column, "nothing"), right)
    for key, row in expected.rows.items():
        if not cut and key not in table:
            for column, value in row.items():
                yield Line(name, " / ".join(key), column, "nothing", value, False)
    if cut:
        yield Line(name, "", "groups", len(table), found.size, len(table) == found.size)
    if cut and expected.largest:
        best = sorted((row[expected.largest] for row in expected.rows.values()), reverse=True)[: found.size]
        is_ = fmean(row[expected.largest] for row in table.values())
        yield Line(name, "", f"mean of the largest {expected.largest}", is_, fmean(best), agrees(is_, fmean(best)))


def agrees(shown: Value, expected: Value) -> bool:
    """Whether a shown number is what was expected."""
    if isinstance(expected, Range):
        return isinstance(shown, int | float) and expected.low <= shown <= expected.high
    if isinstance(expected, float) and isinstance(shown, int | float):
        return abs(shown - expected) <= WITHIN * abs(expected) + 1e-9
    return bool(shown == expected)


def rank(values: list[float], percent: float) -> Range:
    """A percentile: definitions differ in how they put together two neighbours, and by which of three."""
    ordered, place = sorted(values), percent / 100 * len(values)
    low, high = max(int(place) - 1, 0), min(int(place) + 1, len(ordered) - 1)
    return Range(ordered[low] * (1 - WITHIN) - 1e-12, ordered[high] * (1 + WITHIN) + 1e-12)


def between(first: float, last: float) -> Range:
    """A time in seconds since 1970 that logs may have rounded."""
    return Range(first - 1.1, last + 1.1)
