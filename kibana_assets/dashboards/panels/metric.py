"""A tile with one number; its thresholds' words stand in the second line. Source: visualizations/metric of Lens.

Rules: the title stands in the tile itself, as the number's name, and not above it once more.
"""

from __future__ import annotations

from dataclasses import replace

from kibana_assets.dashboards.colours import palette, words
from kibana_assets.dashboards.lens import layer
from kibana_assets.dashboards.model import Panel
from kibana_assets.dashboards.panels.interface import Json, Made, lens


def panel(source: Panel) -> Made:
    """The tile; grouped, it is one tile a group, or all of them put together."""
    data = layer(source)
    data.columns[data.measures[0]]["label"] = source.title
    state: Json = {"layerId": data.id, "layerType": "data", "metricAccessor": data.measures[0]}
    if source.thresholds:
        state["palette"] = palette(source.thresholds)
        state["subtitle"] = words(source.thresholds, source.measures[0].unit)
    if source.by:
        state["breakdownByAccessor"] = data.by[0]
        if source.by[0].collapse:
            state["collapseFn"] = source.by[0].collapse
        else:
            state["maxCols"] = 4
    made = lens(source, "lnsMetric", state, {data.id: data.state})
    return replace(made, config=made.config | {"hidePanelTitles": True})
