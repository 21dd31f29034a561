"""A table: groups to the left, numbers to the right. Source: visualizations/datatable of Lens."""

from __future__ import annotations

from kibana_assets.dashboards.lens import layer
from kibana_assets.dashboards.model import Panel
from kibana_assets.dashboards.panels.interface import Json, Made, lens


def panel(source: Panel) -> Made:
    """The table, ten rows a page."""
    data = layer(source)
    columns: list[Json] = [{"columnId": name, "isTransposed": False} for name in (*data.by, *data.measures)]
    state = {
        "layerId": data.id,
        "layerType": "data",
        "columns": columns,
        "paging": {"enabled": True, "size": 10},
        "rowHeight": "auto",
        "headerRowHeight": "auto",
    }
    return lens(source, "lnsDatatable", state, {data.id: data.state})
