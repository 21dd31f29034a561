"""The searches that Lens and Maps send for a dashboard's panels, as pure functions of the compiled saved object.

Rules: a layer of data is one search: buckets within each other in the order of the columns, numbers in the innermost.
What Kibana computes itself (rates of counters, formulas, shares of a minute) is no part of it; results.py does that.
Kibana's own choices that depend on data or on settings stand in ``Window``: the interval of time and of ranges. The
second search that Kibana sends for "Other" is left out. A map has the whole world in sight, so that its bounds narrow
nothing down. Source: form_based/to_expression.ts and toEsAggsFn of Lens, es_geo_grid_source.tsx of Maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from kibana_assets.check.board import Board, Layer, Panel, listing, mapping
from kibana_assets.check.kql_query import query

Json = dict[str, Any]
RECORDS: Final = "___records___"
GRID_LEVEL: Final = 3
"""How often Kibana halves a map of the whole world for a grid that is COARSE."""
INNER: Final = "value"
"""The number inside of a column that has a filter of its own."""
_BY_KIBANA: Final = frozenset({"counter_rate", "formula", "math", "now", "static_value"})
_SIMPLE: Final = {
    "average": "avg",
    "geo_centroid": "geo_centroid",
    "max": "max",
    "min": "min",
    "sum": "sum",
    "unique_count": "cardinality",
}


@dataclass(frozen=True, slots=True)
class Window:
    """The time range, as ISO 8601, the seconds of a point in time, and the width of a numeric range."""

    start: str
    end: str
    interval: int = 60
    width: float = 1000


@dataclass(frozen=True, slots=True)
class Search:
    """``POST <index>/_search`` with ``body``; ``panel`` and ``layer`` say whose it is."""

    panel: str
    layer: str
    index: str
    body: Json


def searches(board: Board, window: Window) -> Iterator[Search]:
    """The searches of all panels. Raises: KqlError for a query that Kibana would refuse."""
    for panel in board.panels:
        yield from panel_searches(panel, board, window)


def panel_searches(panel: Panel, board: Board, window: Window) -> Iterator[Search]:
    """The searches of one panel: one for each layer that has data."""
    views = {str(one.get("name")): str(one.get("id")) for one in map(mapping, listing(_references(panel)))}
    for layer in panel.layers:
        if all(one.get("operationType") == "static_value" for one in layer.columns.values()):
            continue
        body = {"size": 0, "track_total_hits": True, "query": _where(panel, layer, board, window), "aggs": {}}
        body["aggs"] = _aggs(layer, window)
        yield Search(panel.id, layer.id, views.get(layer.reference, ""), body)


def buckets(layer: Layer) -> list[str]:
    """The columns that group, outermost first."""
    return [name for name in layer.order if layer.columns.get(name, {}).get("isBucketed")]


def _references(panel: Panel) -> Any:
    return panel.attributes.get("references")


def _where(panel: Panel, layer: Layer, board: Board, window: Window) -> Json:
    """Everything that narrows the documents down: time, and filters and queries of dashboard and panel."""
    own = mapping(panel.config.get("timeRange"))
    first, last = own.get("from", window.start), own.get("to", window.end)
    kept: list[Json] = [{"range": {"@timestamp": {"gte": first, "lte": last}}}]
    out: list[Json] = []
    for one in map(mapping, [*listing(board.search.get("filter")), *listing(panel.state.get("filters"))]):
        meta = mapping(one.get("meta"))
        if not meta.get("disabled"):
            (out if meta.get("negate") else kept).append(mapping(one.get("query")))
    for text in (_text(board.search.get("query")), _text(panel.state.get("query")), layer.query):
        if text:
            kept.append(query(text))
    for column in layer.columns.values():
        if column.get("operationType") == "geo_grid":
            kept.append({"exists": {"field": column.get("sourceField")}})
    return {"bool": {"filter": kept, **({"must_not": out} if out else {})}}


def _text(query: Any) -> str:
    return str(mapping(query).get("query") or "")


def _aggs(layer: Layer, window: Window) -> Json:
    inner: Json = {}
    for name, column in layer.columns.items():
        if not column.get("isBucketed") and column.get("operationType") not in _BY_KIBANA:
            inner |= _number(name, column)
    for name in reversed(buckets(layer)):
        made = _bucket(layer, layer.columns[name], window)
        inner |= _ordering(layer, layer.columns[name])
        inner = {name: {**made, **({"aggs": inner} if inner else {})}}
    return inner


def _ordering(layer: Layer, column: Json) -> Json:
    """The number that terms are ordered by, which must stand right in them, wherever else it stands too."""
    by = mapping(mapping(column.get("params")).get("orderBy"))
    name = str(by.get("columnId"))
    return _number(name, layer.columns[name]) if by.get("type") == "column" and name in layer.columns else {}


def _number(name: str, column: Json) -> Json:
    """The aggregation of a number; counting all documents of a bucket needs none."""
    own = mapping(column.get("filter")).get("query")
    made = _of_field(column)
    if own:
        return {name: {"filter": query(str(own)), **({"aggs": {INNER: made}} if made else {})}}
    return {name: made} if made else {}


def _of_field(column: Json) -> Json | None:
    operation, name, params = column.get("operationType"), column.get("sourceField"), mapping(column.get("params"))
    if operation == "count":
        return None if name == RECORDS else {"value_count": {"field": name}}
    if operation in ("median", "percentile"):
        return {"percentiles": {"field": name, "percents": [params.get("percentile", 50)]}}
    if operation == "last_value":
        sort = {str(params.get("sortField")): "desc"}
        if params.get("showArrayValues"):
            return {"top_hits": {"size": 1, "sort": [sort], "docvalue_fields": [name], "_source": False}}
        return {"top_metrics": {"metrics": {"field": name}, "size": 1, "sort": sort}}
    return {_SIMPLE[str(operation)]: {"field": name}}


def _bucket(layer: Layer, column: Json, window: Window) -> Json:
    operation, name, params = column.get("operationType"), column.get("sourceField"), mapping(column.get("params"))
    if operation == "date_histogram":
        made: Json = {"field": name, "fixed_interval": f"{window.interval}s", "time_zone": "UTC", "min_doc_count": 1}
        if params.get("includeEmptyRows"):
            made |= {"min_doc_count": 0, "extended_bounds": {"min": window.start, "max": window.end}}
        return {"date_histogram": made}
    if operation == "filters":
        named = [(one.get("label"), mapping(one.get("input"))) for one in map(mapping, listing(params.get("filters")))]
        return {"filters": {"filters": {str(label): query(str(asked.get("query"))) for label, asked in named}}}
    if operation == "geo_grid":
        return {"geotile_grid": {"field": name, "precision": GRID_LEVEL}}
    if operation == "range":
        least = 0 if params.get("includeEmptyRows") else 1
        return {"histogram": {"field": name, "interval": window.width, "min_doc_count": least}}
    shared = {"size": params.get("size"), "order": _order(layer, params)}
    more = listing(params.get("secondaryFields"))
    if more:
        return {"multi_terms": {"terms": [{"field": one} for one in (name, *more)], **shared}}
    return {"terms": {"field": name, **shared}}


def _order(layer: Layer, params: Json) -> Json:
    by, direction = mapping(params.get("orderBy")), params.get("orderDirection", "desc")
    if by.get("type") != "column":
        return {"_key": direction}
    name = str(by.get("columnId"))
    column = layer.columns.get(name, {})
    own = bool(mapping(column.get("filter")).get("query"))
    operation = column.get("operationType")
    if operation == "count" and column.get("sourceField") == RECORDS:
        return {name if own else "_count": direction}
    path = f"{name}>{INNER}" if own else name
    if operation in ("median", "percentile"):
        path += f".{mapping(column.get('params')).get('percentile', 50):g}"
    return {path: direction}
