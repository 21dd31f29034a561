"""Rules for fields: each is declared by the panel's data streams, and can be computed with as it is.

A field that is not there gives "No results found" without a word why. What Lens allows of a type, and of a counter, is
in form_based/operations/definitions of Kibana (getPossibleOperationForField); Elasticsearch refuses the rest. A map's
places, whose field is column ``by0`` here, are points.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kibana_assets.check.board import Board, Panel, listing, mapping
from kibana_assets.check.context import Context
from kibana_assets.check.rules.interface import Faults, Rule
from kibana_assets.package.fields import NUMBERS, Field

RECORDS: Final = "___records___"
_TEXTS: Final = frozenset({"keyword", "constant_keyword", "wildcard", "flattened", "version"})
_DATES: Final = frozenset({"date", "date_nanos"})
_PLACES: Final = frozenset({"geo_point"})
_COUNTED: Final = NUMBERS | {"histogram"}
_GROUPED: Final = NUMBERS | _TEXTS | {"boolean", "ip"}
ALLOWED: Final = {
    "average": _COUNTED,
    "count": _GROUPED | _DATES | _COUNTED,
    "date_histogram": _DATES,
    "geo_centroid": _PLACES,
    "geo_grid": _PLACES,
    "last_value": _GROUPED | _DATES,
    "max": _COUNTED | _DATES,
    "median": _COUNTED,
    "min": _COUNTED | _DATES,
    "percentile": _COUNTED,
    "range": NUMBERS,
    "sum": _COUNTED,
    "terms": _GROUPED,
    "unique_count": _GROUPED | _DATES,
}
"""Operation → types of fields."""
OF_COUNTERS: Final = frozenset({"count", "last_value", "max", "min"})


def fields_are_declared(board: Board, context: Context) -> Faults:
    for panel, name, column, _ in _used(board):
        datasets = panel.datasets or board.datasets
        if datasets and context.field(name, datasets) is None:
            expected = f"a field that {', '.join(datasets)} declares"
            yield f"{panel.place}: column {column}", f"the field {name}", expected


def operations_fit_their_fields(board: Board, context: Context) -> Faults:
    for panel, name, column, operation in _used(board):
        field = context.field(name, panel.datasets or board.datasets)
        if field is None or operation not in ALLOWED:
            continue
        found = f"{operation} of {name}, which is a {_kind(field)}"
        if field.type not in ALLOWED[operation]:
            yield f"{panel.place}: column {column}", found, f"a field of type {', '.join(sorted(ALLOWED[operation]))}"
        elif field.metric_type == "counter" and operation not in OF_COUNTERS:
            yield f"{panel.place}: column {column}", found, "counter_rate, max, min or last_value of a counter"


def datasets_are_declared(board: Board, context: Context) -> Faults:
    for panel in board.panels:
        for dataset in panel.datasets:
            if dataset not in context.fields:
                yield f"{panel.place}: filter", f"the dataset {dataset}", f"one of {', '.join(sorted(context.fields))}"


def panels_are_limited_to_datasets(board: Board, context: Context) -> Faults:
    for panel in board.panels:
        if (panel.type == "lens" or panel.layers) and not panel.datasets:
            yield panel.place, "no filter on data_stream.dataset", "one, or it reads every index of its data view"


def controls_have_declared_fields(board: Board, context: Context) -> Faults:
    for name, one in board.controls.items():
        field = str(mapping(mapping(one).get("explicitInput")).get("fieldName", ""))
        if not any(field in known for known in context.fields.values()):
            yield f"{board.id}: control {name}", f"the field {field}", "a declared field"


def _used(board: Board) -> Iterator[tuple[Panel, str, str, str]]:
    """(panel, field, column, operation) of every field that a column reads."""
    for panel in board.panels:
        for layer in panel.layers:
            for name, column in layer.columns.items():
                params = mapping(column.get("params"))
                operation = str(column.get("operationType", ""))
                field = column.get("sourceField")
                if isinstance(field, str) and field != RECORDS:
                    yield panel, field, name, operation
                for more in map(str, listing(params.get("secondaryFields"))):
                    yield panel, more, name, operation
                if isinstance(params.get("sortField"), str):
                    yield panel, params["sortField"], name, "date_histogram"


def _kind(field: Field) -> str:
    return f"{field.type}, a counter" if field.metric_type == "counter" else field.type


RULES: tuple[Rule, ...] = (
    fields_are_declared,
    operations_fit_their_fields,
    datasets_are_declared,
    panels_are_limited_to_datasets,
    controls_have_declared_fields,
)
