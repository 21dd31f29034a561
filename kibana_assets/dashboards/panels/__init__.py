"""The kinds of panels: one file a kind, one function each, named in one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kibana_assets.dashboards.panels import gauge, heatmap, links, metric, pie, table, text, xy
from kibana_assets.dashboards.panels import map as world
from kibana_assets.dashboards.panels.interface import Kind

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "area": xy.panel,
        "bar": xy.panel,
        "gauge": gauge.panel,
        "heatmap": heatmap.panel,
        "line": xy.panel,
        "links": links.panel,
        "map": world.panel,
        "metric": metric.panel,
        "pie": pie.panel,
        "table": table.panel,
        "text": text.panel,
    }
)
