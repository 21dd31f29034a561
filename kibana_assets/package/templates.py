"""Component and index templates of a data stream, as Fleet makes them from its fields.

Rules: of a keyword or wildcard no more than 1,024 characters are indexed, unless it is a dimension; an integer is a
long; a text that no field describes becomes a keyword; dates are not guessed. Of a time series stream dimensions and
metrics are marked, and the index template says its mode. The templates that a cluster may have (``logs@settings``,
``metrics@tsdb-settings``, ``ecs@mappings``) and that users add (``@custom``) are composed where they are there. Source:
Fleet's template.ts and default_settings.ts, read, not copied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from kibana_assets.package.fields import NUMBERS, Field
from kibana_assets.package.streams import Stream

IGNORE_ABOVE: Final = 1024
PRIORITY: Final = 200
_COPIED: Final = ("index", "doc_values", "value", "scaling_factor", "null_value", "path", "enabled", "dynamic")
_COPIED_TOO: Final = ("subobjects", "store", "copy_to", "default_metric", "metrics")
_LIMIT: Final = 1000
_SCALING: Final = 1000

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Templates:
    """Names and bodies for ``PUT _component_template/…`` and ``PUT _index_template/…``."""

    component_name: str
    component: Json
    index_name: str
    index: Json


def templates(stream: Stream, fields: Iterable[Field]) -> Templates:
    """The two templates of a stream; the index template needs the component first."""
    name = f"{stream.type}-{stream.dataset}"
    time_series = index_mode(stream) == "time_series"
    package = stream.package
    component = f"{name}@package"
    optional_first = _base(stream.type, time_series)
    optional = [f"{stream.type}@custom", f"{package}@custom", f"{name}@custom", "ecs@mappings"]
    body: Json = {
        "index_patterns": [f"{name}-*"],
        "priority": PRIORITY,
        "data_stream": {},
        "composed_of": [*optional_first, component, *optional],
        "ignore_missing_component_templates": [*optional_first, *optional],
        "template": {"settings": {"index": {"mode": "time_series"}}} if time_series else {},
        "_meta": _meta(package),
    }
    return Templates(component, _component(stream, list(fields), time_series), name, body)


def index_mode(stream: Stream) -> str:
    """``time_series`` or nothing, as the stream's manifest says under ``elasticsearch``."""
    return str((stream.manifest.get("elasticsearch") or {}).get("index_mode", ""))


def mappings(fields: Iterable[Field], *, time_series: bool = False) -> Json:
    """The mappings of the fields, with the dynamic templates of those whose names end in ``*``."""
    properties: Json = {}
    dynamic: list[Json] = []
    for field in fields:
        if "object_type" in field.entry:
            dynamic.append(_dynamic(field, time_series))
        elif not (field.type == "object" and not set(field.entry) & {"enabled", "dynamic", "subobjects"}):
            _place(properties, field.name.split("."), _mapping(field, time_series))
    return {
        "dynamic_templates": [*dynamic, _strings_as_keyword()],
        "date_detection": False,
        "properties": properties,
    }


def _base(kind: str, time_series: bool) -> list[str]:
    """What Elasticsearch itself has for a type of data stream."""
    if kind == "metrics":
        return ["metrics@tsdb-settings" if time_series else "metrics@settings"]
    return [f"{kind}@mappings", f"{kind}@settings"]


def _component(stream: Stream, fields: list[Field], time_series: bool) -> Json:
    index: Json = {"default_pipeline": stream.pipeline_id()}
    if len(fields) > _LIMIT // 2:
        index["mapping"] = {"total_fields": {"limit": 2 * len(fields)}}
    template = {"settings": {"index": index}, "mappings": mappings(fields, time_series=time_series)}
    return {"template": template, "_meta": _meta(stream.package)}


def _meta(package: str) -> Json:
    return {"package": {"name": package}, "managed": True}


def _strings_as_keyword() -> Json:
    mapping = {"type": "keyword", "ignore_above": IGNORE_ABOVE}
    return {"strings_as_keyword": {"match_mapping_type": "string", "mapping": mapping}}


def _mapping(field: Field, time_series: bool) -> Json:
    entry = field.entry
    made: Json = {"type": "long" if field.type == "integer" else field.type}
    if field.type in ("keyword", "wildcard") and not (time_series and entry.get("dimension")):
        made["ignore_above"] = entry.get("ignore_above", IGNORE_ABOVE)
    if field.type == "scaled_float":
        made["scaling_factor"] = _SCALING
    made |= {key: entry[key] for key in (*_COPIED, *_COPIED_TOO) if key in entry}
    if "date_format" in entry:
        made["format"] = entry["date_format"]
    if "multi_fields" in entry:
        made["fields"] = {one["name"]: _multi(one) for one in entry["multi_fields"]}
    meta = {key: str(entry[key]) for key in ("metric_type", "unit") if key in entry}
    if meta and field.type not in ("object", "nested"):
        made["meta"] = meta
    return made | (_series(field) if time_series else {})


def _series(field: Field) -> Json:
    if field.entry.get("dimension"):
        return {"time_series_dimension": True}
    if field.metric_type and field.type in NUMBERS:
        return {"time_series_metric": field.metric_type}
    return {}


def _multi(one: Json) -> Json:
    made = {key: value for key, value in one.items() if key != "name"}
    if made["type"] == "keyword":
        made.setdefault("ignore_above", IGNORE_ABOVE)
    return made


def _dynamic(field: Field, time_series: bool) -> Json:
    """For ``a.b.*`` with ``object_type: long``: what arrives below ``a.b`` is mapped as long."""
    path = field.name if "*" in field.name else f"{field.name}.*"
    below = Field(field.name, str(field.entry["object_type"]), "", _without_type(field.entry), field.place)
    rule: Json = {"path_match": path, "mapping": _mapping(below, time_series)}
    if "object_type_mapping_type" in field.entry:
        rule["match_mapping_type"] = field.entry["object_type_mapping_type"]
    elif below.type in ("keyword", "text", "wildcard", "match_only_text"):
        rule["match_mapping_type"] = "string"
    return {path: rule}


def _without_type(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if key not in ("type", "object_type")}


def _place(properties: Json, path: list[str], mapping: Json) -> None:
    *above, last = path
    for name in above:
        parent = properties.setdefault(name, {"properties": {}})
        properties = parent.setdefault("properties", {})
    properties[last] = {**properties.get(last, {}), **mapping}
