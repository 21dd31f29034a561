"""What Lens, or a map, makes of a search's answer: rows of columns, with the numbers that Kibana computes itself.

Rules: a row has the keys of its buckets and the numbers of its columns, by column id; what there is no number for is
None. A counter's rate is its growth since the point in time before, in the same group; one that fell began at 0 again.
Source: counter_rate_fn.ts, time_scale_fn.ts and collapse_fn.ts of Lens, and Kibana's tabify.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from kibana_assets.check.board import Layer, listing, mapping
from kibana_assets.dashboards.queries import INNER, RECORDS, Window, buckets

Json = dict[str, Any]
Row = dict[str, Any]
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def rows(layer: Layer, answer: Json, window: Window) -> list[Row]:
    """The rows of a layer from the answer to its search."""
    made = list(_rows(layer, buckets(layer), mapping(answer.get("aggregations")), _hits(answer), {}))
    for name in layer.order:
        column = layer.columns.get(name, {})
        operation = column.get("operationType")
        if operation == "counter_rate":
            _rates(made, layer, name)
        elif operation == "now":
            for row in made:
                row[name] = datetime.fromisoformat(window.end.replace("Z", "+00:00")).timestamp() * 1000
        elif operation == "math":
            for row in made:
                row[name] = _math(mapping(column.get("params")).get("tinymathAst"), row)
        elif operation == "formula":
            for row in made:
                row[name] = row.get(str(listing(column.get("references"))[0]))
        elif operation == "static_value":
            for row in made:
                row[name] = float(mapping(column.get("params"))["value"])
        if column.get("timeScale"):
            _scaled(made, name, _SECONDS[column["timeScale"]] / window.interval)
    return made


def collapsed(found: Iterable[Row], over: str, numbers: Iterable[str], how: str) -> list[Row]:
    """The rows without the column ``over``: numbers of the same other buckets are summed, averaged and so on."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    names = list(numbers)
    for row in found:
        key = tuple((name, value) for name, value in row.items() if name != over and name not in names)
        groups.setdefault(_hashable(key), []).append(row)
    made = []
    for group in groups.values():
        first = {name: value for name, value in group[0].items() if name != over}
        for name in names:
            values = [row[name] for row in group if row.get(name) is not None]
            first[name] = _together(values, how) if values else None
        made.append(first)
    return made


def _rows(layer: Layer, left: list[str], aggs: Json, count: int, above: Row) -> Iterator[Row]:
    if not left:
        yield {**above, **{name: _number(one, aggs.get(name), count) for name, one in _numbers(layer)}}
        return
    found = mapping(aggs.get(left[0])).get("buckets")
    pairs = found.items() if isinstance(found, dict) else [(_key(one), one) for one in listing(found)]
    for key, one in pairs:
        yield from _rows(layer, left[1:], one, int(one["doc_count"]), {**above, left[0]: key})


def _numbers(layer: Layer) -> list[tuple[str, Json]]:
    return [(name, one) for name, one in layer.columns.items() if one.get("sourceField") and not one.get("isBucketed")]


def _number(column: Json, found: Any, count: int) -> Any:
    read = mapping(found)
    if mapping(column.get("filter")).get("query"):
        count, read = int(read.get("doc_count", 0)), mapping(read.get(INNER))
    if column.get("operationType") == "count" and column.get("sourceField") == RECORDS:
        return count
    if "values" in read:
        return next(iter(read["values"].values()), None)
    if "top" in read:
        top = listing(read["top"])
        return next(iter(top[0]["metrics"].values()), None) if top else None
    if "hits" in read:
        hits = listing(mapping(read["hits"]).get("hits"))
        return next(iter(mapping(hits[0].get("fields")).values()), None) if hits else None
    return read["location"] if "location" in read else read.get("value")


def _rates(made: list[Row], layer: Layer, name: str) -> None:
    base = str(listing(layer.columns[name].get("references"))[0])
    time = next(one for one in buckets(layer) if layer.columns[one].get("operationType") == "date_histogram")
    groups = [one for one in buckets(layer) if one != time]
    before: dict[Any, float | None] = {}
    for row in made:
        key = tuple(_hashable(row[one]) for one in groups)
        now, last = row.get(base), before.get(key)
        row[name] = None if now is None or last is None else now - last if now >= last else now
        before[key] = last if now is None else now


def _scaled(made: list[Row], name: str, factor: float) -> None:
    for row in made:
        if row.get(name) is not None:
            row[name] *= factor


def _math(tree: Any, row: Row) -> float | None:
    """What the arithmetic that our formulas have makes of columns; a quotient by 0 is nothing."""
    if not isinstance(tree, dict):
        return row.get(tree) if isinstance(tree, str) else float(tree)
    ends = [_math(one, row) for one in listing(tree.get("args"))]
    if any(one is None for one in ends):
        return None
    first, second, *more = (float(one) for one in ends if one is not None)
    if tree.get("name") == "subtract":
        return first - second
    if tree.get("name") == "clamp":
        return max(second, min(first, more[0]))
    return first / second if tree.get("name") == "divide" and second else None


def _together(values: list[float], how: str) -> float:
    return {"sum": sum(values), "avg": sum(values) / len(values), "min": min(values), "max": max(values)}[how]


def _hits(answer: Json) -> int:
    return int(mapping(mapping(answer.get("hits")).get("total")).get("value", 0))


def _key(bucket: Json) -> Any:
    return tuple(bucket["key"]) if isinstance(bucket["key"], list) else bucket["key"]


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value
