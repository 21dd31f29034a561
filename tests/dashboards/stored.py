"""Data streams of the package on a node, with the documents of its pipeline tests at times of one hour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import Any

from kibana_assets.dashboards.queries import Window
from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node
from tests.package.case import cases
from tests.package.store import install_templates, remove

Json = dict[str, Any]
START = datetime(2026, 11, 21, tzinfo=timezone.utc)
WINDOW = Window(START.isoformat(), (START + timedelta(hours=1)).isoformat(), interval=60, width=100)


@contextmanager
def stored(node: Node, namespace: str) -> Iterator[dict[str, list[Json]]]:
    """Dataset → its documents, as long as the context lasts."""
    names, found = [], {}
    try:
        for stream in streams(load()):
            documents = list(_documents(stream))
            if documents:
                name = stream.data_stream(namespace)
                names.append(name)
                install_templates(node, stream, read_fields(load(), stream, ecs()), name)
                found[stream.dataset] = _bulk(node, name, documents)
        yield found
    finally:
        for name in names:
            remove(node, name)


def _documents(stream: Stream) -> Iterator[Json]:
    kept = [one for case in cases(stream) for one in case.expected() if one]
    for number, document in enumerate(kept):
        made = deepcopy(document)
        made["@timestamp"] = (START + timedelta(milliseconds=1000 + number * 1000)).isoformat()
        made["data_stream"] = {"type": stream.type, "dataset": stream.dataset, "namespace": "default"}
        yield made


def _bulk(node: Node, name: str, documents: list[Json]) -> list[Json]:
    lines: list[object] = []
    for document in documents:
        lines += [{"create": {}}, document]
    answer = node.call("POST", f"{name}/_bulk?refresh=true&pipeline=_none", lines)
    failed = [item["create"] for item in answer["items"] if item["create"]["status"] != 201]
    assert not failed, f"{name}: {len(failed)} documents refused, the first: {failed[0].get('error')}"
    return documents
