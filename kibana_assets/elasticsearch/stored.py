"""Assets in Elasticsearch, by kind: where each is read, put and removed, and how its answer is read."""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.connection.address import segment
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import UnreachableError

Json = dict[str, Any]
PATHS: Final = {
    "ilm_policy": "/_ilm/policy",
    "ingest_pipeline": "/_ingest/pipeline",
    "component_template": "/_component_template",
    "index_template": "/_index_template",
}


def read(cluster: Cluster, kind: str, name: str) -> dict[str, Json]:
    """What is there under ``name``, which may have ``*`` in it: name → body. Raises: as Cluster.call."""
    # A comma or a wildcard is part of the path; names of ours have neither of the others that would need quoting.
    answer = cluster.get(f"{PATHS[kind]}/{segment(name).replace('%2A', '*').replace('%40', '@')}")
    if answer is None:
        return {}
    try:
        return _read(kind, answer)
    except (KeyError, TypeError, AttributeError) as error:
        hint = "Is this an Elasticsearch, 8.19 or newer?"
        raise UnreachableError(f"{cluster.place}{PATHS[kind]}: an answer of another form", hint=hint) from error


def put(cluster: Cluster, kind: str, name: str, body: Json) -> None:
    """Create or replace. Raises: as Cluster.call."""
    cluster.call("PUT", f"{PATHS[kind]}/{segment(name)}", {"policy": body} if kind == "ilm_policy" else body)


def remove(cluster: Cluster, kind: str, name: str) -> bool:
    """Remove; False where nothing was. Raises: as Cluster.call."""
    return cluster.delete(f"{PATHS[kind]}/{segment(name)}")


def streams(cluster: Cluster, pattern: str) -> dict[str, list[str]]:
    """The data streams that fit ``pattern``: name → their indices, the one that is written to last."""
    found = data_streams(cluster, pattern)
    return {str(one["name"]): [str(index["index_name"]) for index in one["indices"]] for one in found}


def data_streams(cluster: Cluster, pattern: str) -> tuple[Json, ...]:
    """The data streams that fit ``pattern``, as Elasticsearch tells of them."""
    answer = cluster.get(f"/_data_stream/{pattern}", expand_wildcards="all")
    return tuple((answer or {}).get("data_streams", ()))


def settings(cluster: Cluster, name: str, key: str) -> dict[str, Json]:
    """Index → its settings that fit ``key``, of a data stream's indices; an index that has none is not named."""
    answer = cluster.get(f"/{name}/_settings/{key}", flat_settings="true", expand_wildcards="all") or {}
    return {index: one.get("settings", {}) for index, one in answer.items()}


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
