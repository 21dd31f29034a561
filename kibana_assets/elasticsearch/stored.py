"""Assets in Elasticsearch, by kind: where each is read, put and removed, and what form its answer must have."""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.connection.address import segment
from kibana_assets.connection.form import NAME, Each, Form, Some, Text, check
from kibana_assets.elasticsearch.cluster import Cluster

Json = dict[str, Any]
PATHS: Final = {
    "ilm_policy": "/_ilm/policy",
    "ingest_pipeline": "/_ingest/pipeline",
    "component_template": "/_component_template",
    "index_template": "/_index_template",
}
_BODY: Final = {
    "_meta?": dict,
    "template?": {
        "settings?": dict,
        "mappings?": {"_meta?": dict},
        "lifecycle?": {"enabled?": bool, "data_retention?": NAME},
    },
}
_FORMS: Final[dict[str, Form]] = {
    "ilm_policy": Each({"policy": {"_meta?": dict, "phases": Each({"actions?": Each(dict)})}}),
    "ingest_pipeline": Each({"_meta?": dict, "processors": [dict]}),
    "component_template": {"component_templates": [{"name": NAME, "component_template": _BODY}]},
    "index_template": {
        "index_templates": [{"name": NAME, "index_template": {**_BODY, "composed_of?": [NAME], "data_stream?": dict}}]
    },
}
_STREAM: Final = {
    "name": NAME,
    "indices": Some({"index_name": NAME}),
    "template?": NAME,
    "lifecycle?": {"enabled?": bool, "data_retention?": NAME},
}
_SETTINGS: Final = Each({"settings?": Each(Text(least=0))})


def read(cluster: Cluster, kind: str, name: str) -> dict[str, Json]:
    """What is there under ``name``, which may have ``*`` in it: name → body. Raises: as Cluster.call."""
    # A comma or a wildcard is part of the path; names of ours have neither of the others that would need quoting.
    answer = cluster.get(f"{PATHS[kind]}/{segment(name).replace('%2A', '*').replace('%40', '@')}")
    if answer is None:
        return {}
    check(answer, _FORMS[kind], f"{cluster.place}{PATHS[kind]}")
    return _read(kind, answer)


def put(cluster: Cluster, kind: str, name: str, body: Json) -> None:
    """Create or replace. Raises: as Cluster.call."""
    cluster.call("PUT", f"{PATHS[kind]}/{segment(name)}", {"policy": body} if kind == "ilm_policy" else body)


def remove(cluster: Cluster, kind: str, name: str) -> bool:
    """Remove; False where nothing was. Raises: as Cluster.call."""
    return cluster.delete(f"{PATHS[kind]}/{segment(name)}")


def streams(cluster: Cluster, pattern: str) -> dict[str, list[str]]:
    """The data streams that fit ``pattern``: name → their indices, the one that is written to last."""
    found = data_streams(cluster, pattern)
    return {one["name"]: [index["index_name"] for index in one["indices"]] for one in found}


def data_streams(cluster: Cluster, pattern: str) -> tuple[Json, ...]:
    """The data streams that fit ``pattern``, as Elasticsearch tells of them."""
    path = f"/_data_stream/{pattern}"
    answer = cluster.get(path, expand_wildcards="all")
    if answer is None:
        return ()
    check(answer, {"data_streams": [_STREAM]}, f"{cluster.place}{path}")
    return tuple(answer["data_streams"])


def mappings(cluster: Cluster, index: str) -> Json:
    """The mappings of an index; empty where it is gone."""
    path = f"/{index}/_mapping"
    answer = cluster.get(path) or {}
    check(answer, Each({"mappings?": {"_meta?": dict}}), f"{cluster.place}{path}")
    return answer.get(index, {}).get("mappings") or {}


def settings(cluster: Cluster, name: str, key: str) -> dict[str, Json]:
    """Index → its settings that fit ``key``, of a data stream's indices; an index that has none is not named."""
    path = f"/{name}/_settings/{key}"
    answer = cluster.get(path, flat_settings="true", expand_wildcards="all") or {}
    check(answer, _SETTINGS, f"{cluster.place}{path}")
    return {index: one.get("settings") or {} for index, one in answer.items()}


def default_pipelines(cluster: Cluster, name: str) -> dict[str, str]:
    """Index → its default pipeline, of a data stream's indices or of a pattern's; nothing where it has none."""
    key = "index.default_pipeline"
    return {index: str(one.get(key, "")) for index, one in settings(cluster, name, key).items()}


def _read(kind: str, answer: Json) -> dict[str, Json]:
    if kind == "component_template":
        return {one["name"]: one["component_template"] for one in answer["component_templates"]}
    if kind == "index_template":
        return {one["name"]: one["index_template"] for one in answer["index_templates"]}
    if kind == "ilm_policy":
        return {name: one["policy"] for name, one in answer.items()}
    return {name: {**one} for name, one in answer.items()}
