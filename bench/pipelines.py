"""What the package's pipelines cost: documents a second through ``_bulk``, beside a pipeline that only sets one field.

Rules: each kind of line goes into a data stream with our mappings (one shard, no replicas, no refresh) by our pipeline,
by the bare one, and where ours looks addresses and browsers up by a bare one that does so for the same documents.
The sides take turns, first one, then the other way round; two rounds warm up. A target is for the node's processor
time, which on a machine with nothing else to do is the time that it takes; where other work is in the way only that can
be compared. The detail has the median of the times' ratios within a turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from bench.pipeline_hostile import worst
from bench.pipeline_lines import events
from bench.table import Row
from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node, Nodes
from tests.package.simulate import Document, install, simulate
from tests.package.store import install_templates, remove

VERSION: Final = "943"
ROUNDS: Final = 7
_WARM: Final = 2
_BULKS: Final = 4
_DOCUMENTS: Final = 2000
_DATA_STREAM: Final = "logs-bench.pipelines-default"
_SET: Final = {"set": {"field": "ecs.version", "value": "8.17.0"}}
_LOOKUPS: Final = (
    {"geoip": {"field": "source.ip", "target_field": "source.geo", "ignore_missing": True}},
    {
        "geoip": {
            "field": "source.ip",
            "target_field": "source.as",
            "database_file": "GeoLite2-ASN.mmdb",
            "ignore_missing": True,
        }
    },
    {"user_agent": {"field": "user_agent.original", "ignore_missing": True}},
)
_BARE: Final = {"bench-bare": [_SET], "bench-lookups": [_SET, *_LOOKUPS]}


@dataclass(slots=True)
class _Side:
    """One way through; seconds of every turn, and the node's own, which are counted over all of them."""

    pipeline: str
    bulk: bytes
    seconds: list[float] = field(default_factory=list)
    busy: float = 0.0

    @property
    def each(self) -> float:
        """Microseconds for a document."""
        return median(self.seconds) / (_BULKS * _DOCUMENTS) * 1e6


def measured() -> Iterator[Row]:
    """All rows. Raises: pytest's skip where there is no Elasticsearch."""
    nodes = Nodes()
    try:
        node = nodes.get(VERSION)
        for name, processors in _BARE.items():
            node.call("PUT", f"_ingest/pipeline/{name}", {"processors": processors})
        for stream in streams(load()):
            install(node, stream)
            for kind, documents in events(stream):
                yield from _beside_bare(node, stream, kind, documents)
        yield from worst(node, streams(load()))
    finally:
        nodes.stop()


def _beside_bare(node: Node, stream: Stream, kind: str, documents: list[Document]) -> Iterator[Row]:
    made = simulate(node, stream.pipeline_id(), json.loads(json.dumps(documents)))
    looked_up = [_with_lookups(*pair) for pair in zip(documents, made, strict=True)]
    ours, bare = _Side(stream.pipeline_id(), _bulk(documents)), _Side("bench-bare", _bulk(documents))
    lookups = _Side("bench-lookups", _bulk(looked_up))
    has_lookups = looked_up != documents
    install_templates(node, stream, read_fields(load(), stream, ecs()), _DATA_STREAM)
    try:
        node.call("PUT", f"{_DATA_STREAM}/_settings", {"index": {"refresh_interval": "-1", "number_of_replicas": 0}})
        _run(node, [ours, bare, lookups] if has_lookups else [ours, bare])
    finally:
        remove(node, _DATA_STREAM)
    beside = lookups if has_lookups else bare
    what = f"{stream.name}, {kind}"
    detail = f"{ours.each:.1f} µs a document, bare {bare.each:.1f} µs"
    yield Row(f"documents a second, {what}", 1e6 / ours.each, detail=detail)
    than = "bare with the same look-ups" if has_lookups else "bare"
    detail = f"time {_times(ours, beside):.2f}"
    if has_lookups:
        detail += f"; beside bare without look-ups {_ratio(ours, bare):.2f}, time {_times(ours, bare):.2f}"
    most = 2 if stream.name == "proxy_access" else 3
    yield Row(f"the same / {than}, processor time", _ratio(ours, beside), "at most", most, detail=detail)


def _run(node: Node, sides: list[_Side]) -> None:
    pid = _pid(node)
    for turn in range(ROUNDS + _WARM):
        for side in sides if turn % 2 else reversed(sides):
            busy, began = _busy(pid), perf_counter()
            for _ in range(_BULKS):
                _send(node, side)
            seconds = perf_counter() - began
            if turn >= _WARM:
                side.seconds.append(seconds)
                side.busy += _busy(pid) - busy


def _send(node: Node, side: _Side) -> None:
    answer = node.session.post(
        f"{node.url}/{_DATA_STREAM}/_bulk?pipeline={side.pipeline}&filter_path=errors,items.*.error",
        data=side.bulk,
        headers={"Content-Type": "application/x-ndjson"},
        timeout=120,
    ).json()
    assert not answer["errors"], json.dumps(answer)[:2000]


def _with_lookups(document: Document, made: Document | None) -> Document:
    """The document with what ours looked up in it: an address that is public, a browser."""
    found: Document = {}
    source, agent = (made or {}).get("source", {}), (made or {}).get("user_agent", {})
    if "geo" in source or "as" in source:
        found["source"] = {"ip": source["ip"]}
    if "original" in agent:
        found["user_agent"] = {"original": agent["original"]}
    return {**document, **found}


def _bulk(documents: list[Document]) -> bytes:
    rows = [f'{{"create":{{}}}}\n{json.dumps(document)}\n' for document in documents]
    return "".join(rows[place % len(rows)] for place in range(_DOCUMENTS)).encode()


def _ratio(ours: _Side, other: _Side) -> float:
    """Of processor time; of time where the node's cannot be seen."""
    return ours.busy / other.busy if other.busy else _times(ours, other)


def _times(ours: _Side, other: _Side) -> float:
    return median(one / two for one, two in zip(ours.seconds, other.seconds, strict=True))


def _busy(pid: int) -> float:
    """Seconds of processor time of the node's own threads, without Java's compilers; 0 where it runs elsewhere."""
    spent = 0
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        try:
            if (thread / "comm").read_text().startswith("elasticsearch["):
                spent += int((thread / "schedstat").read_text().split()[0])
        except OSError:  # it has ended
            continue
    return spent / 1e9


def _pid(node: Node) -> int:
    return max(int(one["process"]["id"]) for one in node.call("GET", "_nodes/_local/process")["nodes"].values())
