"""A heat map, with the number written in each cell. Source: visualizations/heatmap of Lens."""

from __future__ import annotations

from kibana_assets.dashboards.lens import layer
from kibana_assets.dashboards.model import Panel
from kibana_assets.dashboards.panels.interface import Made, lens


def panel(source: Panel) -> Made:
    """The heat map."""
    data = layer(source)
    grid = {
        "type": "heatmap_grid",
        "isCellLabelVisible": True,
        "isXAxisLabelVisible": True,
        "isYAxisLabelVisible": True,
        "isXAxisTitleVisible": False,
        "isYAxisTitleVisible": True,
    }
    state = {
        "layerId": data.id,
        "layerType": "data",
        "shape": "heatmap",
        "xAccessor": data.x,
        "yAccessor": data.by[0],
        "valueAccessor": data.measures[0],
        "gridConfig": grid,
        "legend": {"isVisible": True, "position": "right", "type": "heatmap_legend"},
    }
    return lens(source, "lnsHeatmap", state, {data.id: data.state})
