"""Lines, areas and bars; thresholds are lines across the chart, with their words. Source: visualizations/xy of Lens.

Rules: bars over anything but time lie, so that their names can be read. The left axis has its unit in its title.
"""

from __future__ import annotations

from typing import Final

from kibana_assets.dashboards.colours import COLOURS
from kibana_assets.dashboards.columns import static_column
from kibana_assets.dashboards.lens import layer
from kibana_assets.dashboards.model import Panel
from kibana_assets.dashboards.panels.interface import Json, Made, lens
from kibana_assets.dashboards.units import written

_EVERYWHERE: Final = {"x": True, "yLeft": True, "yRight": True}
_AXIS: Final = {"ns": "Time", "ms": "Time", "s": "Time", "bytes": "Bytes", "share": "Share (%)"}


def panel(source: Panel) -> Made:
    """The chart."""
    data = layer(source)
    series = _series(source)
    shown: Json = {
        "layerId": data.id,
        "layerType": "data",
        "seriesType": series,
        "xAccessor": data.x,
        "accessors": list(data.measures),
        "position": "top",
        "showGridlines": False,
    }
    if data.by:
        shown["splitAccessor"] = data.by[0]
        if source.by[0].collapse:
            shown["collapseFn"] = source.by[0].collapse
    unit = source.measures[0].unit
    state: Json = {
        "title": source.title,
        "preferredSeriesType": series,
        "layers": [shown],
        "legend": {"isVisible": True, "position": "right", "showSingleSeries": True},
        "valueLabels": "hide",
        "fittingFunction": "None",
        "axisTitlesVisibilitySettings": {**_EVERYWHERE, "x": series.startswith("bar_horizontal")},
        "tickLabelsVisibilitySettings": _EVERYWHERE,
        "gridlinesVisibilitySettings": _EVERYWHERE,
        "labelsOrientation": {"x": 0, "yLeft": 0, "yRight": 0},
        "yTitle": _AXIS.get(unit, unit[:1].upper() + unit[1:]),
    }
    layers = {data.id: data.state}
    if source.thresholds:
        state["layers"].append(_lines(source, layers))
    return lens(source, "lnsXY", state, layers)


def _series(source: Panel) -> str:
    if source.kind == "line":
        return "line"
    over_time = source.x is None or source.x.op in ("time", "range")
    name = source.kind if over_time or source.kind == "area" else "bar_horizontal"
    return f"{name}_stacked" if source.stacked else name


def _lines(source: Panel, layers: dict[str, Json]) -> Json:
    """The layer of lines, whose state is added to ``layers``; good has no line."""
    unit = source.measures[0].unit
    marked = [one for one in source.thresholds if one.level != "ok"]
    named = {f"line{number}": one for number, one in enumerate(marked)}
    columns = {name: static_column(one.at, f"{one.text} from {written(one.at, unit)}") for name, one in named.items()}
    name = f"{source.id}-lines"
    layers[name] = {"columnOrder": list(columns), "columns": columns, "incompleteColumns": {}, "sampling": 1}
    config = [
        {
            "forAccessor": column,
            "axisMode": "left",
            "color": COLOURS[one.level],
            "lineStyle": "dashed",
            "lineWidth": 2,
            "textVisibility": True,
            "fill": "none",
        }
        for column, one in named.items()
    ]
    return {"layerId": name, "layerType": "referenceLine", "accessors": list(columns), "yConfig": config}
