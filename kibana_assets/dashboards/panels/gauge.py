"""A gauge from 0 to the last threshold's end or 1. Source: visualizations/gauge of Lens."""

from __future__ import annotations

from kibana_assets.dashboards.colours import palette, words
from kibana_assets.dashboards.columns import static_column
from kibana_assets.dashboards.lens import layer
from kibana_assets.dashboards.model import Panel
from kibana_assets.dashboards.panels.interface import Json, Made, lens


def panel(source: Panel) -> Made:
    """The gauge, of a share of a whole."""
    data = layer(source)
    limits = {"min": static_column(0, "None"), "max": static_column(1, "All")}
    state: Json = {
        "layerId": data.id,
        "layerType": "data",
        "shape": "arc",
        "metricAccessor": data.measures[0],
        "minAccessor": "min",
        "maxAccessor": "max",
        "labelMajorMode": "auto",
        "ticksPosition": "auto",
        "colorMode": "none",
    }
    if source.thresholds:
        minor = words(source.thresholds, source.measures[0].unit)
        state |= {"colorMode": "palette", "palette": palette(source.thresholds), "labelMinor": minor}
        state["ticksPosition"] = "bands"
    whole = data.state | {"columnOrder": [*data.columns, *limits], "columns": {**data.columns, **limits}}
    return lens(source, "lnsGauge", state, {data.id: whole})
