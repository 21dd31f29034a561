"""What is wanted in Elasticsearch: the package's pipelines, templates and lifecycle, as Fleet would make them.

Rules: a stream's main pipeline calls the ``@custom`` pipelines that users may add, in Fleet's order and under Fleet's
names. The mappings carry a mark of their own, so that an index tells which templates it was made from. Order: what
others need comes first. Source of the names: elastic/kibana, Fleet's ingest_pipeline/helpers.ts (read, not copied).
"""

from __future__ import annotations

from kibana_assets.install.asset import COMPONENT, INDEX, MANAGED_BY, PIPELINE, Asset, Json, digest
from kibana_assets.install.lifecycle import Lifecycle
from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import Stream, pipelines, read_manifest, streams
from kibana_assets.package.templates import templates
from kibana_assets.package.tree import Tree


def package_version(tree: Tree) -> str:
    """The version that the marks name. Raises: PackageError."""
    return str(read_manifest(tree)["version"])


def desired_objects(tree: Tree, lifecycle: Lifecycle | None = None) -> tuple[Asset, ...]:
    """All assets of Elasticsearch, in the order in which they are put. Raises: PackageError."""
    wish = lifecycle or Lifecycle()
    found = streams(tree)
    first = [asset for stream in found for asset in _pipelines(tree, stream)]
    then = [_templates(tree, stream, wish) for stream in found]
    return (*wish.policies(), *first, *(pair[0] for pair in then), *(pair[1] for pair in then))


def pattern(stream: Stream) -> str:
    """The names of a stream's data streams, of every namespace."""
    return f"{stream.type}-{stream.dataset}-*"


def mapping_mark(component: Json) -> str:
    """The mark in the mappings of a component template, or of an index made with it; nothing where there is none."""
    meta = (component.get("_meta") or {}).get("llm_bundle")
    return str(meta.get("hash", "")) if isinstance(meta, dict) else ""


def _pipelines(tree: Tree, stream: Stream) -> list[Asset]:
    made = []
    for name, body in pipelines(tree, stream).items():
        whole = _with_custom(stream, body) if name == stream.pipeline_id() else body
        meta = {"package": {"name": stream.package}}
        made.append(Asset(PIPELINE, name, {**whole, "_meta": meta}, pattern(stream)))
    return made


def _with_custom(stream: Stream, body: Json) -> Json:
    names = (
        "global@custom",
        f"{stream.type}@custom",
        f"{stream.type}-{stream.package}.integration@custom",
        f"{stream.type}-{stream.dataset}@custom",
    )
    calls = [{"pipeline": {"name": name, "ignore_missing_pipeline": True}} for name in names]
    return {**body, "processors": [*body["processors"], *calls]}


def _templates(tree: Tree, stream: Stream, wish: Lifecycle) -> tuple[Asset, Asset]:
    made = templates(stream, read_fields(tree, stream, ecs()))
    component = wish.applied(_marked_mappings(made.component))
    return (
        Asset(COMPONENT, made.component_name, component, pattern(stream)),
        Asset(INDEX, made.index_name, made.index, pattern(stream)),
    )


def _marked_mappings(component: Json) -> Json:
    """Before the lifecycle is in it, for which no data stream needs to roll over."""
    template = component["template"]
    whole = digest(COMPONENT, {"template": template})
    mappings = {**template["mappings"], "_meta": {"managed_by": MANAGED_BY, "llm_bundle": {"hash": whole}}}
    return {**component, "template": {**template, "mappings": mappings}}
