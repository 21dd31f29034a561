"""Bad samples for the rules that are of maps alone: rule → (what is changed, what is said)."""

from __future__ import annotations

from tests.dashboards.small_board import Change, attributes, map_layer, put

MAPS: dict[str, list[tuple[Change, str]]] = {
    "maps_ask_nobody_outside": [
        (
            lambda b: put(attributes(b, "map"), "layerListJSON", []),
            "no layers, for which Kibana takes its map service's",
        ),
        (lambda b: put(map_layer(b, 0), "sourceDescriptor", {"type": "EMS_TMS"}), "a source of type EMS_TMS"),
        (lambda b: put(map_layer(b, 0), "sourceDescriptor", None), "a source of type none"),
    ],
    "maps_are_of_a_form_that_is_known": [
        (lambda b: put(map_layer(b), "locale", "en"), "layer map-data: found the key locale"),
        (lambda b: put(map_layer(b)["sourceDescriptor"], "size", 7), "sourceDescriptor: found the key size"),
        (lambda b: put(map_layer(b)["sourceDescriptor"], "geoField", None), "found no geoField"),
        (lambda b: put(map_layer(b)["style"], "colour", "red"), "style: found the key colour"),
        (lambda b: put(attributes(b, "map")["mapStateJSON"], "tilt", 7), "mapStateJSON: found the key tilt"),
        (lambda b: put(attributes(b, "map")["uiStateJSON"], "open", True), "uiStateJSON: found the key open"),
    ],
    "shapes_are_there": [
        (lambda b: put(map_layer(b, 0)["sourceDescriptor"], "__featureCollection", None), "found no features"),
    ],
    "circles_have_numbers": [
        (lambda b: put(map_layer(b)["style"]["properties"], "labelText", None), "circles without their number"),
        (lambda b: put(map_layer(b)["sourceDescriptor"]["metrics"][0], "label", None), "a number without a label"),
        (lambda b: put(map_layer(b)["sourceDescriptor"], "metrics", []), "a number without a label"),
    ],
}
