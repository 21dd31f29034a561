"""Links to other dashboards, which keep time range and filters. Source: the links plugin of Kibana, from 8.12."""

from __future__ import annotations

from kibana_assets.dashboards.model import Panel
from kibana_assets.dashboards.panels.interface import Made


def panel(source: Panel) -> Made:
    """The links, side by side."""
    options = {"openInNewTab": False, "useCurrentDateRange": True, "useCurrentFilters": True}
    links, references = [], []
    for order, link in enumerate(source.links):
        name = f"link_{link.to}_dashboard"
        links.append(
            {
                "type": "dashboardLink",
                "id": link.to,
                "order": order,
                "label": link.label,
                "destinationRefName": name,
                "options": options,
            }
        )
        references.append({"type": "dashboard", "id": link.to, "name": name})
    config = {"attributes": {"layout": "horizontal", "links": links}, "enhancements": {}, "hidePanelTitles": False}
    return Made("links", config, tuple(references))
