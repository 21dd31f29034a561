"""Rows of expected panels, from the diary's calls and events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tests.dashboards.panels.compare import Range, Value, between
from tests.dashboards.panels.diary import Call, Event

One = TypeVar("One")
Rows = dict[tuple[str, ...], dict[str, Value]]


def grouped(
    of: Iterable[One], key: Callable[[One], tuple[Any, ...] | None], numbers: Callable[[list[One]], dict[str, Value]]
) -> Rows:
    """A row for each key; what has None for a key, or in it an empty text, is in no row."""
    groups: dict[tuple[str, ...], list[One]] = {}
    for one in of:
        found = key(one)
        if found is not None and "" not in found:
            groups.setdefault(tuple(map(str, found)), []).append(one)
    return {name: numbers(group) for name, group in groups.items()}


def one_row(**numbers: Value) -> Rows:
    """The row of a tile; the name of a column has ``_`` for a blank."""
    return {(): {name.replace("_", " "): value for name, value in numbers.items()}}


def count(of: Iterable[Any]) -> int:
    """How many."""
    return sum(1 for _ in of)


def last(of: list[Call]) -> Range:
    """When the last of them ended."""
    return between(max(one.ended for one in of), max(one.ended for one in of))


def last_event(of: list[Event]) -> Range:
    """When the last of them happened."""
    return between(max(one.at for one in of), max(one.at for one in of))
