"""A map that asks no service: the world's land from the panel itself, and over it a circle a place, with its number.

Rules: by value, with the keys that 8.19 reads and that the strict schemas from 9.4 on take (maps plugin of Kibana:
server/content_management/schema/v1, common/migrations/references.ts, geojson_file_source.ts). Never without layers, for
then Kibana adds the base map of Elastic's map service. What narrows the circles down is KQL of their layer, which knows
no filters; query and time of the dashboard are added to it. The first layer lies undermost.
"""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.dashboards.columns import kql
from kibana_assets.dashboards.lens import DATASET
from kibana_assets.dashboards.model import Panel
from kibana_assets.dashboards.outlines import outlines
from kibana_assets.dashboards.panels.interface import Json, Made

CENTER: Final = {"lat": 20, "lon": 10}
ZOOM: Final = 0.8
"""The whole inhabited world in some 900 by 430 pixels."""
_EVERYWHERE: Final = {"minZoom": 0, "maxZoom": 24, "visible": True}
_LAND: Final = "#98a2b3"
_CIRCLE: Final = "#0b64dd"
_COUNT: Final = {"name": "doc_count", "origin": "source"}
"""What Kibana calls the count of a place."""


def panel(source: Panel) -> Made:
    """The map."""
    reference = {"type": "index-pattern", "id": source.view, "name": "layer_1_source_index_pattern"}
    clusters = _clusters(source, str(reference["name"]))
    state = {"zoom": ZOOM, "center": CENTER, "settings": {"autoFitToDataBounds": False}}
    attributes = {
        "title": source.title,
        "description": source.description,
        "layerListJSON": [_land(source), clusters],
        "mapStateJSON": {**state, "query": kql(""), "filters": []},
        "uiStateJSON": {"isLayerTOCOpen": True, "openTOCDetails": [clusters["id"]]},
        "references": [reference],
    }
    return Made("map", {"attributes": attributes, "enhancements": {}, "hidePanelTitles": False}, (reference,))


def _land(source: Panel) -> Json:
    style = {"fillColor": _static(color=_LAND), "lineColor": _static(color=_LAND), "lineWidth": _static(size=1)}
    return {
        "id": f"{source.id}-land",
        "label": "Land",
        "type": "GEOJSON_VECTOR",
        "sourceDescriptor": {"type": "GEOJSON_FILE", "name": "Land", "__featureCollection": outlines()},
        "style": {"type": "VECTOR", "isTimeAware": False, "properties": style},
        "alpha": 0.4,
        "includeInFitToBounds": False,
        "disableTooltips": True,
        "joins": [],
        **_EVERYWHERE,
    }


def _clusters(source: Panel, reference: str) -> Json:
    """A circle for each part of the world that has requests, in their middle; nearer by, the parts are smaller."""
    measure = source.measures[0]
    return {
        "id": f"{source.id}-data",
        "label": measure.label,
        "type": "GEOJSON_VECTOR",
        "sourceDescriptor": {
            "type": "ES_GEO_GRID",
            "id": f"{source.id}-places",
            "indexPatternRefName": reference,
            "geoField": source.by[0].fields[0],
            "requestType": "point",
            "resolution": "COARSE",
            "metrics": [{"type": "count", "label": measure.label}],
            "applyGlobalQuery": True,
            "applyGlobalTime": True,
            "applyForceRefresh": True,
        },
        "style": {"type": "VECTOR", "isTimeAware": True, "properties": _circles()},
        "query": kql(_query(source)),
        "alpha": 0.75,
        "includeInFitToBounds": True,
        "joins": [],
        **_EVERYWHERE,
    }


def _query(source: Panel) -> str:
    datasets = " or ".join(f'"{one}"' for one in source.datasets)
    limited = f"{DATASET}: {datasets if len(source.datasets) == 1 else f'({datasets})'}"
    return f"{limited} and ({source.query})" if source.query else limited


def _circles() -> Json:
    """A circle grows with its number, which stands in it."""
    from_what_is_shown = {"isEnabled": False, "sigma": 3}
    size = {"minSize": 9, "maxSize": 30, "field": _COUNT, "fieldMetaOptions": from_what_is_shown}
    return {
        "symbolizeAs": {"options": {"value": "circle"}},
        "fillColor": _static(color=_CIRCLE),
        "lineColor": _static(color="#ffffff"),
        "lineWidth": _static(size=1),
        "iconSize": {"type": "DYNAMIC", "options": size},
        "labelText": {"type": "DYNAMIC", "options": {"field": _COUNT}},
        "labelColor": _static(color="#000000"),
        "labelSize": _static(size=14),
        "labelBorderColor": _static(color="#ffffff"),
        "labelBorderSize": {"options": {"size": "SMALL"}},
    }


def _static(**options: Any) -> Json:
    return {"type": "STATIC", "options": options}
