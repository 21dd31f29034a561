"""Rules for the state of Lens: what is missing there gives an error, or nothing, in the panel's place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kibana_assets.check.board import Board, Layer, Panel, listing, mapping, text
from kibana_assets.check.context import Context
from kibana_assets.check.rules.interface import Faults, Rule

KINDS: Final = frozenset({"lnsDatatable", "lnsGauge", "lnsHeatmap", "lnsMetric", "lnsPie", "lnsTagcloud", "lnsXY"})
OPERATIONS: Final = frozenset(
    {
        "average",
        "count",
        "counter_rate",
        "date_histogram",
        "filters",
        "formula",
        "last_value",
        "math",
        "max",
        "median",
        "min",
        "now",
        "percentile",
        "range",
        "static_value",
        "sum",
        "terms",
        "unique_count",
    }
)
_ACCESSORS: Final = frozenset(
    {
        "breakdownByAccessor",
        "columnId",
        "forAccessor",
        "goalAccessor",
        "maxAccessor",
        "metricAccessor",
        "minAccessor",
        "secondaryMetricAccessor",
        "splitAccessor",
        "tagAccessor",
        "valueAccessor",
        "xAccessor",
        "yAccessor",
    }
)
_LISTS: Final = frozenset({"accessors", "primaryGroups", "secondaryGroups", "metrics"})


def lens_has_its_state(board: Board, context: Context) -> Faults:
    for panel in _lens(board):
        if not panel.state:
            yield f"{panel.place}: state", "nothing", "Lens' state"
        elif not panel.layers:
            yield f"{panel.place}: datasourceStates", "no layer", "formBased.layers"
        if text(panel.attributes.get("visualizationType")) not in KINDS:
            found = repr(panel.attributes.get("visualizationType"))
            yield f"{panel.place}: visualizationType", found, f"one of {', '.join(sorted(KINDS))}"


def layers_have_their_column_order(board: Board, context: Context) -> Faults:
    for panel, layer in _layers(board):
        place = f"{panel.place}: layer {layer.id}: columnOrder"
        if not layer.has_order:
            yield place, "nothing", "the ids of all columns"
        elif sorted(layer.order) != sorted(layer.columns):
            different = ", ".join(sorted(set(layer.order) ^ set(layer.columns))) or "an id twice"
            yield place, f"another list than the columns ({different})", "the ids of all columns"


def columns_are_named_for_what_is_there(board: Board, context: Context) -> Faults:
    for panel in _lens(board):
        known = {name for layer in panel.layers for name in layer.columns}
        layers = {layer.id for layer in panel.layers}
        for key, name in _accessors(panel.visualization):
            if name not in (layers if key == "layerId" else known):
                expected = "a layer" if key == "layerId" else f"one of {', '.join(sorted(known))}"
                yield f"{panel.place}: visualization: {key}", name, expected
        for layer in panel.layers:
            for name, column in layer.columns.items():
                for other in map(str, listing(column.get("references"))):
                    if other not in layer.columns:
                        yield f"{panel.place}: column {name}: references", other, "a column of the layer"


def operations_are_known(board: Board, context: Context) -> Faults:
    for panel, layer in _layers(board):
        for name, column in layer.columns.items():
            if text(column.get("operationType")) not in OPERATIONS:
                found = repr(column.get("operationType"))
                yield f"{panel.place}: column {name}: operationType", found, f"one of {', '.join(sorted(OPERATIONS))}"


def terms_are_ordered_by_what_is_there(board: Board, context: Context) -> Faults:
    for panel, layer in _layers(board):
        for name, column in layer.columns.items():
            order = mapping(mapping(column.get("params")).get("orderBy"))
            target = layer.columns.get(str(order.get("columnId")), {})
            if order.get("type") == "column" and (not target or target.get("references")):
                found = repr(order.get("columnId"))
                yield f"{panel.place}: column {name}: orderBy", found, "a column that is computed in Elasticsearch"


def counters_are_read_over_time(board: Board, context: Context) -> Faults:
    for panel, layer in _layers(board):
        operations = [column.get("operationType") for column in layer.columns.values()]
        if "counter_rate" in operations and "date_histogram" not in operations:
            yield f"{panel.place}: layer {layer.id}", "a counter_rate without date_histogram", "one beside it"


def _accessors(value: Any) -> Iterator[tuple[str, str]]:
    """(key, column or layer) of all that a visualization names."""
    if isinstance(value, list):
        for item in value:
            yield from _accessors(item)
    for key, item in mapping(value).items():
        if (key in _ACCESSORS or key == "layerId") and isinstance(item, str):
            yield key, item
        elif key in _LISTS and isinstance(item, list) and all(isinstance(one, str) for one in item):
            yield from ((key, one) for one in item)
        elif key != "palette":
            yield from _accessors(item)


def _lens(board: Board) -> list[Panel]:
    return [panel for panel in board.panels if panel.type == "lens"]


def _layers(board: Board) -> Iterator[tuple[Panel, Layer]]:
    for panel in _lens(board):
        for layer in panel.layers:
            yield panel, layer


RULES: tuple[Rule, ...] = (
    lens_has_its_state,
    layers_have_their_column_order,
    columns_are_named_for_what_is_there,
    operations_are_known,
    terms_are_ordered_by_what_is_there,
    counters_are_read_over_time,
)
