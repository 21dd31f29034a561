"""Text in Markdown: a visualization of type ``markdown``, which every Kibana from 7 to 9 shows by value."""

from __future__ import annotations

from kibana_assets.dashboards.columns import kql
from kibana_assets.dashboards.model import Panel
from kibana_assets.dashboards.panels.interface import Made


def panel(source: Panel) -> Made:
    """The text."""
    saved = {
        "type": "markdown",
        "title": "",
        "description": source.description,
        "params": {"fontSize": 12, "markdown": source.text, "openLinksInNewTab": False},
        "uiState": {},
        "data": {"aggs": [], "searchSource": {"filter": [], "query": kql("")}},
    }
    return Made("visualization", {"enhancements": {}, "hidePanelTitles": False, "savedVis": saved})
