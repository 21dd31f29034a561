"""Pipelines on a real Elasticsearch: installed as Fleet names them, and run through ``_simulate``.

Rules: one call for each test file. Results are compared with their dynamic fields taken out, after each was found to
fit its pattern. A pipeline that is put has what Fleet would put, but not the calls of ``@custom`` pipelines.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kibana_assets.package.streams import Stream, pipelines
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node
from tests.package.case import Case

Document = dict[str, Any]


def install(node: Node, stream: Stream) -> None:
    """Put all pipelines of a stream."""
    for name, pipeline in pipelines(load(), stream).items():
        node.call("PUT", f"_ingest/pipeline/{name}", pipeline)


def simulate(node: Node, pipeline: str, events: list[Document], index: str = "_index") -> list[Document | None]:
    """What the pipeline makes of each event; None where it drops one. Raises: AssertionError where it fails."""
    docs = [{"_index": index, "_source": event} for event in events]
    answers = node.call("POST", f"_ingest/pipeline/{pipeline}/_simulate", {"docs": docs})["docs"]
    return [_result(answer, place) for place, answer in enumerate(answers)]


def results(node: Node, case: Case) -> list[Document | None]:
    """What the default pipeline of the case's stream makes of its events."""
    return simulate(node, case.stream.pipeline_id(), case.events(), case.stream.data_stream())


def text(documents: list[Document | None]) -> str:
    """An expected file: keys in order, as elastic-package writes it."""
    return json.dumps({"expected": documents}, indent=4, sort_keys=True, ensure_ascii=False) + "\n"


def without_dynamic(case: Case, documents: list[Document | None]) -> list[Document | None]:
    """The documents without the dynamic fields, each of which fits its pattern where it stands."""
    copies: list[Document | None] = json.loads(json.dumps(documents))
    for place, document in enumerate(copies):
        for key, pattern in case.config.get("dynamic_fields", {}).items():
            found = _take(document, key) if document else None
            fits = found is None or re.search(pattern, str(found))
            assert fits, f"{case.path.name}[{place}].{key}: {found!r} does not fit {pattern!r}"
    return copies


def leaves(value: object, path: str = "") -> list[tuple[str, Any]]:
    """The fields of a document, dotted, with their values; those of objects in lists too."""
    if isinstance(value, dict):
        return [leaf for key, child in value.items() for leaf in leaves(child, f"{path}.{key}" if path else key)]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [leaf for item in value for leaf in leaves(item, path)]
    return [(path, value)]


def _take(document: Document, key: str) -> object:
    if key in document:
        return document.pop(key)
    *above, last = key.split(".")
    for name in above:
        child = document.get(name)
        if not isinstance(child, dict):
            return None
        document = child
    return document.pop(last, None)


def _result(answer: dict[str, Any] | None, place: int) -> Document | None:
    if answer is None:
        return None
    assert "doc" in answer, f"event {place}: {json.dumps(answer)[:2000]}"
    source: Document = answer["doc"]["_source"]
    return source
