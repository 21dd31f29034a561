"""A dashboard as a saved object, in the form that Kibana 8.9 wrote and every later one reads.

Rules: ``…JSON`` parts are still values here (encode.py makes texts of them). No attribute but those that Kibana knows.
The whole dashboard is limited to the datasets of its panels, each panel to its own. Controls narrow each other down
from left to right.
"""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.dashboards.columns import kql
from kibana_assets.dashboards.grid import placed
from kibana_assets.dashboards.lens import dataset_filter
from kibana_assets.dashboards.model import Control, Dashboard
from kibana_assets.dashboards.panels import KINDS

Json = dict[str, Any]
CORE_VERSION: Final = "8.8.0"
TYPE_VERSION: Final = "8.9.0"
FILTER_NAME: Final = "kibanaSavedObjectMeta.searchSourceJSON.filter[0].meta.index"
_OPTIONS: Final = {
    "hidePanelTitles": False,
    "syncColors": True,
    "syncCursor": True,
    "syncTooltips": False,
    "useMargins": True,
}
_NOT_IGNORED: Final = {
    "ignoreFilters": False,
    "ignoreQuery": False,
    "ignoreTimerange": False,
    "ignoreValidations": False,
}


def saved_object(dashboard: Dashboard, tag: str) -> Json:
    """The saved object; ``tag`` is the id of the tag that it carries."""
    panels, references = [], []
    for panel, place in placed(dashboard.rows):
        made = KINDS[panel.kind](panel)
        shown = {"type": made.type, "title": panel.title, "panelIndex": panel.id, "gridData": place}
        panels.append({**shown, "embeddableConfig": made.config})
        references += [{**one, "name": f"{panel.id}:{one['name']}"} for one in made.references]
    search, of_search = _search(dashboard)
    references += of_search
    references += [
        {"type": "index-pattern", "id": one.view, "name": f"controlGroup_{_id(one)}:optionsListDataView"}
        for one in dashboard.controls
    ]
    return {
        "id": dashboard.id,
        "type": "dashboard",
        "coreMigrationVersion": CORE_VERSION,
        "typeMigrationVersion": TYPE_VERSION,
        "attributes": {
            "title": dashboard.title,
            "description": dashboard.description,
            "timeRestore": True,
            "timeFrom": dashboard.time_from,
            "timeTo": "now",
            "refreshInterval": {"pause": True, "value": 60_000},
            "optionsJSON": _OPTIONS,
            "panelsJSON": panels,
            "controlGroupInput": _controls(dashboard.controls),
            "kibanaSavedObjectMeta": {"searchSourceJSON": search},
        },
        "references": [*references, {"type": "tag", "id": tag, "name": f"tag-{tag}"}],
    }


def _search(dashboard: Dashboard) -> tuple[Json, list[Json]]:
    """Query and filter of the whole, and the reference of the filter to a data view."""
    shown = [panel for panel in dashboard.panels if panel.datasets]
    datasets = tuple(dict.fromkeys(dataset for panel in shown for dataset in panel.datasets))
    if not datasets:
        return {"query": kql(""), "filter": []}, []
    made = dataset_filter(datasets, {"indexRefName": FILTER_NAME})
    return {"query": kql(""), "filter": [made]}, [{"type": "index-pattern", "id": shown[0].view, "name": FILTER_NAME}]


def _controls(controls: tuple[Control, ...]) -> Json:
    panels = {
        _id(one): {
            "type": "optionsListControl",
            "order": order,
            "width": "medium",
            "grow": True,
            "explicitInput": {"id": _id(one), "fieldName": one.field, "title": one.label, "enhancements": {}},
        }
        for order, one in enumerate(controls)
    }
    return {
        "chainingSystem": "HIERARCHICAL",
        "controlStyle": "oneLine",
        "ignoreParentSettingsJSON": _NOT_IGNORED,
        "panelsJSON": panels,
    }


def _id(control: Control) -> str:
    return control.field.replace(".", "-")
