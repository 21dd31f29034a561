"""A panel's search on a test node, and the table that Lens would show of its answer.

Rules: what the test nodes lack is asked another way that gives the same (``SUBSTITUTES``), and who asks is told which
was used. Over time a panel shows a number at each point: ``sum`` adds them up (counts), ``all`` asks for one point
alone that has the whole day (percentiles), ``each`` keeps the points (rates).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from kibana_assets.check.board import Board, Layer, Panel, mapping
from kibana_assets.dashboards.queries import Search, buckets, panel_searches
from kibana_assets.dashboards.results import Row, collapsed, rows
from tests.counterparts.elasticsearch import Node
from tests.dashboards.panels.recorded import HISTOGRAM, Recorded

Json = dict[str, Any]
Table = dict[tuple[str, ...], dict[str, Any]]
SUBSTITUTES: Final = {"multi_terms": "terms of a script", "top_metrics": "top_hits"}
STEP: Final = 10
_DAY: Final = 1_000_000_000
_BETWEEN: Final = "\x1f"
_SECONDS: Final = {"s": 1, "m": 60}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a panel shows: key of the groups → column → number; ``size`` is how many outer groups it has room for.

    ``tile`` is the title of a tile, which names its one number.
    """

    table: Table
    size: int
    substituted: tuple[str, ...]
    tile: str = ""


def shown(recorded: Recorded, board: Board, panel: Panel, over: str) -> Shown:
    """Ask for a panel. ``over`` is ``sum``, ``all`` or ``each``."""
    window = recorded.window(_DAY if over == "all" else STEP)
    (search,) = panel_searches(panel, board, window)
    layer = next(one for one in panel.layers if one.id == search.layer)
    used: set[str] = set()
    found = rows(layer, asked(recorded.node, search, used), window)
    if _of_histograms(recorded.node, layer, search.index):
        used.add(HISTOGRAM)
    made = _table(layer, _together(panel, layer, found), over)
    outermost = layer.columns[buckets(layer)[0]] if buckets(layer) else {}
    size = int(mapping(outermost.get("params")).get("size") or 0)
    tile = panel.title if panel.attributes.get("visualizationType") == "lnsMetric" else ""
    return Shown(made, size, tuple(sorted(used)), tile)


def asked(node: Node, search: Search, used: set[str]) -> Json:
    """The answer of a test node, as a whole Elasticsearch would give it; ``used`` is told of what stood in."""
    body = {**search.body, "aggs": _substituted(search.body["aggs"], used)}
    answer: Json = node.call("POST", f"{search.index}/_search", body)
    assert answer["_shards"]["failed"] == 0, answer["_shards"]
    return {**answer, "aggregations": _as_asked(answer.get("aggregations", {}))}


def _together(panel: Panel, layer: Layer, found: list[Row]) -> list[Row]:
    """Without the groups that the panel puts together."""
    state = panel.visualization
    layers = [one for one in state.get("layers") or () if mapping(one).get("layerId") == layer.id]
    shape = mapping(layers[0]) if layers else state
    if not shape.get("collapseFn"):
        return found
    over = str(shape.get("splitAccessor") or shape.get("breakdownByAccessor"))
    return collapsed(found, over, [one for one in layer.columns if one not in buckets(layer)], shape["collapseFn"])


def _table(layer: Layer, found: list[Row], over: str) -> Table:
    groups = [one for one in buckets(layer) if one != "x" or over == "each"]
    made: Table = {}
    for row in found:
        groups_here = [one for one in groups if one in row]
        key = tuple(_word(part) for one in groups_here for part in _parts(row[one]))
        line = made.setdefault(key, {})
        for name, column in layer.columns.items():
            if re.fullmatch(r"m\d+", name):
                _add(line, str(column["label"]), _value(row.get(name), column), over)
            elif column.get("operationType") == "geo_centroid":
                line |= {"Latitude": row[name]["lat"], "Longitude": row[name]["lon"]}
    if over != "each":
        return made
    return {key: line for key, line in made.items() if any(value is not None for value in line.values())}


def _add(line: dict[str, Any], label: str, value: Any, over: str) -> None:
    """Points of time come one by one."""
    if label not in line or line[label] is None:
        line[label] = value
    elif value is not None:
        assert over == "sum", f"{label}: several points of time"
        line[label] += value


def _value(value: Any, column: Json) -> Any:
    if value is not None and column.get("timeScale") and column["operationType"] != "counter_rate":
        return value * STEP / _SECONDS[column["timeScale"]]
    return value / 1000 if value is not None and column.get("dataType") == "date" else value


def _parts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _substituted(aggs: Any, used: set[str]) -> Any:
    if isinstance(aggs, list):
        return [_substituted(one, used) for one in aggs]
    if not isinstance(aggs, dict):
        return aggs
    made = {}
    for key, value in aggs.items():
        if key == "multi_terms":
            used.add(f"{key} as {SUBSTITUTES[key]}")
            names = [one["field"] for one in value["terms"]]
            rest = {name: one for name, one in value.items() if name != "terms"}
            made["terms"] = {"script": {"lang": "painless", "source": _script(names)}, **rest}
        elif key == "top_metrics":
            used.add(f"{key} as {SUBSTITUTES[key]}")
            field = value["metrics"]["field"]
            made["top_hits"] = {"size": 1, "sort": [value["sort"]], "docvalue_fields": [field], "_source": False}
        else:
            made[key] = _substituted(value, used)
    return made


def _script(names: list[str]) -> str:
    """All the fields' values, where each has one."""
    there = " && ".join(f"doc['{name}'].size() > 0" for name in names)
    joined = f" + '{_BETWEEN}' + ".join(f"doc['{name}'].value" for name in names)
    return f"{there} ? {joined} : null"


def _as_asked(answer: Any) -> Any:
    """In the form of what was asked first: multi_terms has lists of keys, top_metrics a number."""
    if isinstance(answer, list):
        return [_as_asked(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    if "hits" in answer:
        found = [mapping(one.get("fields")) for one in answer["hits"]["hits"]]
        return {"top": [{"metrics": {name: value[0] for name, value in one.items()}} for one in found if one]}
    made = {key: _as_asked(value) for key, value in answer.items()}
    if isinstance(made.get("key"), str) and _BETWEEN in made["key"]:
        made["key"] = made["key"].split(_BETWEEN)
    return made


def _of_histograms(node: Node, layer: Layer, index: str) -> bool:
    """Whether a column reads what is a histogram where one can be."""
    fields = {str(one.get("sourceField", "")) for one in layer.columns.values()}
    return index == "metrics-*" and any(
        re.search(r"vllm\.(\w+_(time|latency)|time_to_first_token|request\.)", one) for one in fields
    )
