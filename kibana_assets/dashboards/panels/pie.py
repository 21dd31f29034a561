"""A ring of shares, with names and percents written on it. Source: visualizations/partition of Lens."""

from __future__ import annotations

from kibana_assets.dashboards.lens import layer
from kibana_assets.dashboards.model import Panel
from kibana_assets.dashboards.panels.interface import Made, lens


def panel(source: Panel) -> Made:
    """The ring."""
    data = layer(source)
    shown = {
        "layerId": data.id,
        "layerType": "data",
        "primaryGroups": list(data.by),
        "metrics": list(data.measures),
        "numberDisplay": "percent",
        "categoryDisplay": "default",
        "legendDisplay": "show",
        "nestedLegend": False,
    }
    return lens(source, "lnsPie", {"shape": "donut", "layers": [shown]}, {data.id: data.state})
