"""The numbers of a panel: its search, put to whoever answers, and what Lens makes of the answer.

Rules: points of time are as many as Kibana has by itself, some fifty. A panel without an answer is drawn empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kibana_assets.check.board import Board, Layer, Panel, listing, mapping
from kibana_assets.dashboards.queries import Search, Window, buckets, panel_searches
from kibana_assets.dashboards.results import Row, collapsed, rows

Json = dict[str, Any]
Ask = Callable[[Search], Json]
"""Puts a search to a cluster; the answer is that of ``_search``."""
_POINTS: Final = 50
_ROUND: Final = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 43200, 86400, 604800)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The layer of a panel that has data, its rows, and what is drawn of it."""

    layer: Layer
    rows: list[Row]

    def column(self, name: str) -> Json:
        """A column of the layer."""
        return self.layer.columns.get(name, {})

    def label(self, name: str) -> str:
        """What a column is called."""
        return str(self.column(name).get("label", name))


def window(start: datetime, end: datetime) -> Window:
    """A time range with the points that Kibana would choose."""
    wanted = (end - start).total_seconds() / _POINTS
    interval = next((step for step in _ROUND if step >= wanted), _ROUND[-1])
    return Window(start.isoformat(), end.isoformat(), interval=interval, width=100)


def numbers(panel: Panel, board: Board, ask: Ask, over: Window) -> Numbers | None:
    """Ask for the numbers of a panel. Raises: what ``ask`` raises."""
    for search in panel_searches(panel, board, over):
        layer = next(one for one in panel.layers if one.id == search.layer)
        return Numbers(layer, _together(panel, layer, rows(layer, ask(search), over)))
    return None


def without(panel: Panel) -> Numbers | None:
    """A panel of which nothing was asked."""
    layer = next((one for one in panel.layers if one.id.endswith("-data")), None)
    return Numbers(layer, []) if layer else None


def _together(panel: Panel, layer: Layer, found: list[Row]) -> list[Row]:
    """Groups that the panel sums up are summed up."""
    state = panel.visualization
    own = [mapping(one) for one in listing(state.get("layers")) if mapping(one).get("layerId") == layer.id]
    shape = own[0] if own else state
    how = str(shape.get("collapseFn") or "")
    if not how:
        return found
    over = str(shape.get("splitAccessor") or shape.get("breakdownByAccessor"))
    return collapsed(found, over, [one for one in layer.columns if one not in buckets(layer)], how)
