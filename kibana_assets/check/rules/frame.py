"""Rules for the dashboard itself and the places of its panels.

What they catch is not told by Kibana: it imports broken JSON, draws panels over each other, and never loads a page on
which one has no place.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

from kibana_assets.check.board import Board, Panel, mapping, text
from kibana_assets.check.context import Context
from kibana_assets.check.rules.interface import Faults, Rule
from kibana_assets.dashboards.dashboard import TYPE_VERSION
from kibana_assets.dashboards.model import COLUMNS

TYPES: Final = frozenset({"lens", "links", "map", "search", "visualization"})
ATTRIBUTES: Final = frozenset(
    {
        "title",
        "description",
        "panelsJSON",
        "optionsJSON",
        "kibanaSavedObjectMeta",
        "timeRestore",
        "timeFrom",
        "timeTo",
        "refreshInterval",
        "controlGroupInput",
    }
)


def every_part_can_be_read(board: Board, context: Context) -> Faults:
    for part in board.unreadable:
        yield board.id, part, "JSON"
    if not board.unreadable and not board.panels:
        yield board.id, "no panels", "one at least"


def the_dashboard_is_of_a_form_that_is_known(board: Board, context: Context) -> Faults:
    if not text(board.attributes.get("title")).strip():
        yield board.id, "no title", "one"
    for key in sorted(set(board.attributes) - ATTRIBUTES):
        yield board.id, f"the attribute {key}", f"none but {', '.join(sorted(ATTRIBUTES))}"
    version = board.raw.get("typeMigrationVersion")
    if not isinstance(version, str) or _numbers(version) > _numbers(TYPE_VERSION):
        expected = f"{TYPE_VERSION}, or an earlier one; a Kibana refuses what is newer than itself"
        yield f"{board.id}: typeMigrationVersion", repr(version), expected


def panels_have_titles(board: Board, context: Context) -> Faults:
    for panel in board.panels:
        if not panel.title and not panel.config.get("hidePanelTitles"):
            yield panel.place, "no title", "one, or hidePanelTitles"


def panels_have_ids_of_their_own(board: Board, context: Context) -> Faults:
    seen: set[str] = set()
    for panel in board.panels:
        if not panel.id or panel.id in seen:
            yield panel.place, f"the panelIndex {panel.id!r}", "one that no other panel has"
        seen.add(panel.id)


def panels_stand_in_the_grid(board: Board, context: Context) -> Faults:
    for panel in board.panels:
        place = _place(panel)
        if place is None:
            yield f"{panel.place}: gridData", repr(panel.raw.get("gridData"))[:80], "x, y, w, h, as whole numbers"
            continue
        left, top, width, height = place
        if left < 0 or top < 0 or width < 1 or height < 1 or left + width > COLUMNS:
            found = f"columns {left} to {left + width}, rows {top} to {top + height}"
            yield f"{panel.place}: gridData", found, f"a place inside the {COLUMNS} columns"


def panels_do_not_overlap(board: Board, context: Context) -> Faults:
    placed = [(panel, _place(panel)) for panel in board.panels]
    for (one, a), (other, b) in combinations(placed, 2):
        if a and b and a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]:
            yield one.place, f"a place that panel {other.id} covers", "a place of its own"


def panels_are_of_a_known_type_and_by_value(board: Board, context: Context) -> Faults:
    for panel in board.panels:
        if "panelRefName" in panel.raw:
            yield panel.place, "a panel by reference", "a panel by value"
        elif panel.type not in TYPES:
            yield panel.place, f"the type {panel.type!r}", f"one of {', '.join(sorted(TYPES))}"
        elif panel.type == "visualization" and mapping(panel.config.get("savedVis")).get("type") != "markdown":
            yield panel.place, "a legacy visualization", "Lens, or text of type markdown"


def margins_are_used(board: Board, context: Context) -> Faults:
    if mapping(board.attributes.get("optionsJSON")).get("useMargins") is not True:
        yield f"{board.id}: optionsJSON", "no useMargins", "useMargins: true"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 10**6 for part in version.split("."))


def _place(panel: Panel) -> tuple[int, int, int, int] | None:
    grid = mapping(panel.raw.get("gridData"))
    found = [one for one in map(grid.get, ("x", "y", "w", "h")) if type(one) is int]
    return (found[0], found[1], found[2], found[3]) if len(found) == 4 else None


RULES: tuple[Rule, ...] = (
    every_part_can_be_read,
    the_dashboard_is_of_a_form_that_is_known,
    panels_have_titles,
    panels_have_ids_of_their_own,
    panels_stand_in_the_grid,
    panels_do_not_overlap,
    panels_are_of_a_known_type_and_by_value,
    margins_are_used,
)
