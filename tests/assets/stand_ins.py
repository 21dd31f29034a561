"""What a test node lacks, put for it on the way in and taken back on the way out.

Rules: a mapping ``{"type": T}`` of which the node has no T gets another type, with ``meta.stand_in: T``; every answer
shows T again. A time series takes any time of this century, and is routed by its dimensions, as a whole Elasticsearch
works out by itself; that too is hidden in answers.
"""

from __future__ import annotations

from typing import Any

WHOLE = {"histogram": "flattened", "aggregate_metric_double": "flattened"}
BELOW = {"match_only_text": "text"}
CENTURY = {"start_time": "2000-01-01T00:00:00Z", "end_time": "2099-12-31T00:00:00Z"}


def put(value: Any, *, below: bool = False) -> Any:
    """A body for the node."""
    if isinstance(value, list):
        return [put(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _below(one) if key == "fields" and isinstance(one, dict) else put(one) for key, one in value.items()}
    kind = value.get("type")
    if isinstance(kind, str) and kind in (BELOW if below else WHOLE):
        made = {key: made[key] for key in made if key not in ("ignore_above", "time_series_metric")}
        made |= {"type": (BELOW if below else WHOLE)[kind], "meta": {**value.get("meta", {}), "stand_in": kind}}
    return made


def taken_back(value: Any) -> Any:
    """An answer of the node."""
    if isinstance(value, list):
        return [taken_back(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: taken_back(one) for key, one in value.items()}
    meta = value.get("meta")
    if isinstance(meta, dict) and "stand_in" in meta:
        rest = {key: one for key, one in meta.items() if key != "stand_in"}
        made = {**made, "type": meta["stand_in"], "meta": rest}
        if not rest:
            del made["meta"]
    if isinstance(made.get("index"), dict) and "time_series" in made["index"]:
        made["index"] = {key: one for key, one in made["index"].items() if key not in ("time_series", "routing_path")}
    return made


def dimensions(properties: dict[str, Any], above: str = "") -> list[str]:
    """The names of the dimensions in a mapping."""
    made: list[str] = []
    for name, entry in properties.items():
        if entry.get("time_series_dimension"):
            made.append(above + name)
        made += dimensions(entry.get("properties", {}), f"{above}{name}.")
    return made


def with_times(body: dict[str, Any], routing: list[str]) -> dict[str, Any]:
    """An index template; one of a time series with its times and dimensions."""
    index = body.get("template", {}).get("settings", {}).get("index", {})
    if index.get("mode") != "time_series":
        return body
    settings = {"index": {**index, "time_series": CENTURY, "routing_path": routing}}
    return {**body, "template": {**body["template"], "settings": settings}}


def _below(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: put(one, below=True) for name, one in fields.items()}
