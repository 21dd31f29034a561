"""Rules for maps: they ask nobody outside, every Kibana from 8.19 on reads them, and circles say what they count.

A map without layers gets the base map of Elastic's map service, which the browsers of a closed network cannot reach.
From 9.4 on Kibana reads maps by schemas that are strict, and loose only in places that have moved since. Source: the
maps plugin's server/content_management/schema/v1, and public/routes/map_page/saved_map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from kibana_assets.check.board import GRID, MAP, Board, Panel, asks, listing, mapping, text
from kibana_assets.check.context import Context
from kibana_assets.check.rules.interface import Faults, Rule

Json = dict[str, Any]
OWN: Final = "GEOJSON_FILE"
"""The source of a layer that has its shapes itself."""
GROUP: Final = "LAYER_GROUP"
_STATE: Final = ("adHocDataViews", "center", "filters", "query", "refreshConfig", "settings", "timeFilters", "zoom")
_UI: Final = ("isLayerTOCOpen", "openTOCDetails")
_LAYER: Final = (
    *("alpha", "attribution", "disableTooltips", "id", "includeInFitToBounds", "joins", "label", "maxZoom", "minZoom"),
    *("parent", "query", "sourceDescriptor", "style", "type", "visible"),
)
_STYLE: Final = ("isTimeAware", "properties", "type")
_NEEDED: Final = ("geoField", "id", "indexPatternRefName", "requestType", "resolution", "type")
_OF_GRID: Final = (*_NEEDED, "applyForceRefresh", "applyGlobalQuery", "applyGlobalTime", "metrics")


def maps_ask_nobody_outside(board: Board, context: Context) -> Faults:
    for panel in _maps(board):
        if not panel.map_layers:
            yield f"{panel.place}: layerListJSON", "no layers, for which Kibana takes its map service's", "one at least"
        for layer in panel.map_layers:
            kind = text(mapping(layer.get("sourceDescriptor")).get("type"))
            if kind != OWN and not asks(layer) and layer.get("type") != GROUP:
                found = f"a source of type {kind or 'none'}, which may be asked of the internet"
                yield f"{panel.place}: layer {layer.get('id')}", found, f"{OWN}, or one of Elasticsearch"


def maps_are_of_a_form_that_is_known(board: Board, context: Context) -> Faults:
    for panel in _maps(board):
        read = {"mapStateJSON": _STATE, "uiStateJSON": _UI}
        for name, known in read.items():
            yield from _strange(f"{panel.place}: {name}", mapping(panel.attributes.get(name)), known)
        for layer in panel.map_layers:
            place = f"{panel.place}: layer {layer.get('id')}"
            source = mapping(layer.get("sourceDescriptor"))
            yield from _strange(place, layer, _LAYER)
            yield from _strange(f"{place}: style", mapping(layer.get("style")), _STYLE)
            if source.get("type") == GRID:
                yield from _strange(f"{place}: sourceDescriptor", source, _OF_GRID)
                for key in sorted(set(_NEEDED) - set(source)):
                    yield f"{place}: sourceDescriptor", f"no {key}", "one"


def shapes_are_there(board: Board, context: Context) -> Faults:
    for panel in _maps(board):
        for layer in panel.map_layers:
            source = mapping(layer.get("sourceDescriptor"))
            if source.get("type") == OWN and not listing(mapping(source.get("__featureCollection")).get("features")):
                yield f"{panel.place}: layer {layer.get('id')}", "no features", "those that it is to show"


def circles_have_numbers(board: Board, context: Context) -> Faults:
    for panel in _maps(board):
        for layer in panel.map_layers:
            source, place = mapping(layer.get("sourceDescriptor")), f"{panel.place}: layer {layer.get('id')}"
            if source.get("type") != GRID:
                continue
            if not all(text(mapping(one).get("label")) for one in listing(source.get("metrics")) or [None]):
                yield f"{place}: metrics", "a number without a label", "what is counted"
            style = mapping(mapping(layer.get("style")).get("properties"))
            written = mapping(mapping(style.get("labelText")).get("options"))
            if not mapping(written.get("field")).get("name"):
                yield f"{place}: style", "circles without their number", "labelText, of the field that is counted"


def _strange(place: str, read: Json, known: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for key in sorted(set(read) - set(known)):
        yield place, f"the key {key}", f"none but {', '.join(sorted(known))}"


def _maps(board: Board) -> list[Panel]:
    return [panel for panel in board.panels if panel.type == MAP]


RULES: tuple[Rule, ...] = (
    maps_ask_nobody_outside,
    maps_are_of_a_form_that_is_known,
    shapes_are_there,
    circles_have_numbers,
)
