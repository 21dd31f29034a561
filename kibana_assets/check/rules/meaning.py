"""Rules for what a person reads: queries that say what they look like, units, colours with words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kibana_assets.check.board import Board, Panel, listing, mapping
from kibana_assets.check.context import Context
from kibana_assets.check.kql_meaning import faults
from kibana_assets.check.rules.interface import Faults, Rule


def queries_mean_what_they_look(board: Board, context: Context) -> Faults:
    for panel in board.panels:
        types = context.types(panel.datasets or board.datasets)
        for where, query in panel.queries:
            for found, expected in faults(query, types):
                yield f"{panel.place}: {where}", found, expected
    whole = mapping(board.search.get("query"))
    for found, expected in faults(str(whole.get("query") or ""), context.types(board.datasets)):
        yield f"{board.id}: query", found, expected


def numbers_have_units(board: Board, context: Context) -> Faults:
    for panel in board.panels:
        shown = set(_names(panel.visualization))
        for layer in panel.layers:
            for name, column in layer.columns.items():
                number = column.get("dataType") == "number" and not column.get("isBucketed")
                fixed = column.get("operationType") == "static_value"
                if number and not fixed and name in shown and not mapping(column.get("params")).get("format"):
                    yield f"{panel.place}: column {name}", "a number without a format", "its unit in params.format"


def colours_have_words(board: Board, context: Context) -> Faults:
    for panel in board.panels:
        for what in _wordless(panel):
            yield panel.place, what, "words that say the same"


def _wordless(panel: Panel) -> Iterator[str]:
    state = panel.visualization
    if state.get("palette") and panel.attributes.get("visualizationType") == "lnsMetric" and not state.get("subtitle"):
        yield "a tile whose colour means something, without a second line"
    if state.get("colorMode") == "palette" and "shape" in state and not state.get("labelMinor"):
        yield "a gauge whose colour means something, without a second line"
    grid = mapping(state.get("gridConfig"))
    if state.get("shape") == "heatmap" and not grid.get("isCellLabelVisible"):
        yield "a heat map without numbers in its cells"
    for column in map(mapping, listing(state.get("columns"))):
        if column.get("colorMode") in ("cell", "text") and column.get("hidden"):
            yield f"a column {column.get('columnId')} of colour alone"
    labels = {name: column.get("label") for layer in panel.layers for name, column in layer.columns.items()}
    for layer in map(mapping, listing(state.get("layers"))):
        if layer.get("layerType") == "referenceLine":
            for config in map(mapping, listing(layer.get("yConfig"))):
                if not config.get("textVisibility") or not labels.get(str(config.get("forAccessor"))):
                    yield f"a coloured line {config.get('forAccessor')} without a text"
        elif layer.get("legendDisplay") == "hide" and layer.get("categoryDisplay") == "hide":
            yield "a ring without names"
        elif layer.get("splitAccessor") and not layer.get("collapseFn") and not _legend(state):
            yield "series without a legend"


def _legend(state: dict[str, Any]) -> bool:
    return bool(mapping(state.get("legend")).get("isVisible", True))


def _names(value: Any) -> Iterator[str]:
    """Every text in a visualization: the ids of the columns that it shows are among them."""
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _names(item)


RULES: tuple[Rule, ...] = (queries_mean_what_they_look, numbers_have_units, colours_have_words)
