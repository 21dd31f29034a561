"""What a cluster has of what concerns us: everything under a wanted name, everything of ours, and the data streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kibana_assets.elasticsearch import stored
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.install.asset import COMPONENT, ELASTICSEARCH_KINDS, ILM_POLICY, INDEX, PIPELINE, Asset
from kibana_assets.install.chain import PATTERN, calls
from kibana_assets.install.desired import mapping_mark
from kibana_assets.install.lifecycle import CUSTOM, POLICY
from kibana_assets.install.plan import Found, Key, State, StreamFound, of_elasticsearch
from kibana_assets.install.prove import NAMESPACE
from kibana_assets.install.read_keeping import read_keeping


def read_state(cluster: Cluster, desired: Iterable[Asset]) -> State:
    """The state of Elasticsearch. Raises: as Cluster.call."""
    wanted = [asset for asset in desired if not asset.space]
    assets: dict[Key, Found] = {}
    for kind in ELASTICSEARCH_KINDS:
        for name, body in _bodies(cluster, kind, wanted).items():
            found = of_elasticsearch(kind, body)
            needed = found.ours or (kind == PIPELINE and calls(body))
            if needed or any((asset.kind, asset.id) == (kind, name) for asset in wanted):
                assets[(kind, "", name)] = found
    return State(assets, _streams(cluster, wanted, assets), read_keeping(cluster, wanted, assets))


def _bodies(cluster: Cluster, kind: str, wanted: list[Asset]) -> dict[str, dict[str, object]]:
    """By pattern, so that those of other versions are found too; whatever fits no pattern, by its name."""
    names = {asset.id for asset in wanted if asset.kind == kind and not (kind == PIPELINE and "@custom" in asset.id)}
    patterns = {_prefix(asset) for asset in wanted if asset.stream} if kind in (PIPELINE, COMPONENT, INDEX) else set()
    if kind == PIPELINE:
        patterns.add(PATTERN)
    if kind in (ILM_POLICY, COMPONENT):
        names.add(POLICY if kind == ILM_POLICY else CUSTOM)
    alone = {name for name in names if not any(name.startswith(one.rstrip("*")) for one in patterns)}
    bodies: dict[str, dict[str, object]] = {}
    for name in sorted(patterns | alone):
        bodies |= stored.read(cluster, kind, name)
    return bodies


def _prefix(asset: Asset) -> str:
    """``logs-local_llm.*`` for ``logs-local_llm.proxy_access-*``."""
    return asset.stream.partition(".")[0] + ".*"


def _streams(cluster: Cluster, wanted: list[Asset], assets: Mapping[Key, Found]) -> dict[str, StreamFound]:
    """Not those that a template of somebody else's rules: a rollover would bring them none of our mappings."""
    made = {}
    for asset in wanted:
        if asset.kind != INDEX:
            continue
        there = (INDEX, "", asset.id) in assets
        for stream in stored.data_streams(cluster, asset.stream):
            name, last = str(stream["name"]), str(stream["indices"][-1]["index_name"])
            if name.endswith(f"-{NAMESPACE}") or (there and stream.get("template") != asset.id):
                continue
            mark = mapping_mark(stored.mappings(cluster, last))
            pipelines = tuple(stored.default_pipelines(cluster, name).values())
            made[name] = StreamFound(asset.stream, mark, pipelines)
    return made
