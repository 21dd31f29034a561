"""Tiles: a number with its words and colour, and a gauge."""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.check.board import Panel, listing, mapping
from kibana_assets.dashboards.picture.form import safe, written
from kibana_assets.dashboards.picture.numbers import Numbers

Json = dict[str, Any]
_PLAIN: Final = "#fff"
_NO_DATA: Final = "#f1f4fa"


def metric(panel: Panel, found: Numbers) -> str:
    """A tile; in the colour of its threshold."""
    state = panel.visualization
    name = str(state["metricAccessor"])
    value = found.rows[0].get(name) if found.rows else None
    colour = _colour(mapping(state.get("palette")), value)
    title = safe(found.label(name))
    said = f'<div class="said">{safe(state["subtitle"])}</div>' if state.get("subtitle") else ""
    number = safe(written(value, found.column(name)))
    return f'<div class="tile" style="background:{colour}"><b>{title}</b>{said}<div class="big">{number}</div></div>'


def gauge(panel: Panel, found: Numbers) -> str:
    """A bar from 0 to 1, in the colour of its threshold."""
    state = panel.visualization
    name = str(state["metricAccessor"])
    value = found.rows[0].get(name) if found.rows else None
    colour = _colour(mapping(state.get("palette")), value)
    part = min(max(float(value or 0), 0), 1) * 100
    bar = f'<div class="bar"><div style="width:{part:.1f}%;background:{colour}"></div></div>'
    number = safe(written(value, found.column(name)))
    said = f'<div class="said">{safe(state.get("labelMinor", ""))}</div>'
    return f'<div class="tile"><div class="big">{number}</div>{bar}{said}</div>'


def _colour(palette: Json, value: Any) -> str:
    if value is None:
        return _NO_DATA
    stops = [mapping(one) for one in listing(mapping(palette.get("params")).get("colorStops"))]
    reached = [one for one in stops if one.get("stop") is None or value >= one["stop"]]
    return str(reached[-1]["color"]) if reached else _PLAIN
