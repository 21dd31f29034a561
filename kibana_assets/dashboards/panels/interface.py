"""What a kind of panel gives: Kibana's type of embeddable, its configuration, and references.

Rules: names of references are those within the panel; the dashboard puts the panel's id before them. A Lens panel's
stand in its attributes too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kibana_assets.dashboards.lens import attributes
from kibana_assets.dashboards.model import Panel

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """``config`` is the panel's ``embeddableConfig``."""

    type: str
    config: Json
    references: tuple[Json, ...] = ()


Kind = Callable[[Panel], Made]


def lens(panel: Panel, kind: str, visualization: Json, layers: dict[str, Json]) -> Made:
    """A Lens panel."""
    made = attributes(panel, kind, visualization, layers)
    config: Json = {"attributes": made, "enhancements": {}, "hidePanelTitles": False}
    if panel.time_from:
        config["timeRange"] = {"from": panel.time_from, "to": "now"}
    return Made("lens", config, tuple(made["references"]))
