"""Each template of a rule or an objective, asked of a real Elasticsearch with documents that must and must not fire.

Rules: a rule is asked as Kibana asks it: its ES|QL with a filter on the time window. The index pattern is a data stream
of the test's own, made from the package's templates. ES|QL and KQL are only in the test node of 8.19.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node
from tests.package.case import put
from tests.package.rule_documents import FIRES, RATIOS, SILENT
from tests.package.simulate import Document
from tests.package.store import install_templates, remove, store

FOLDERS = {name: f"kibana/{name}_template" for name in ("alerting_rule", "slo")}
STREAMS = {stream.data_stream("*"): stream for stream in streams(load())}
OTHER = "metrics-system.filesystem-*"
OTHER_FIELDS = {
    "@timestamp": {"type": "date"},
    "host.name": {"type": "keyword"},
    "system.filesystem.mount_point": {"type": "keyword"},
    "system.filesystem.used.pct": {"type": "scaled_float", "scaling_factor": 1000},
}


def template(kind: str, name: str) -> dict[str, Any]:
    read: dict[str, Any] = load().json(f"{FOLDERS[kind]}/local_llm-{name}.json")["attributes"]
    return read


def names(kind: str) -> set[str]:
    return {path.rpartition("/local_llm-")[2].removesuffix(".json") for path in load().paths(FOLDERS[kind], ".json")}


@pytest.fixture(scope="module")
def queries(node: Node) -> Node:
    """The node, where it has ES|QL and KQL."""
    if not node.version.startswith("8."):
        pytest.skip(f"the test node of {node.version} has no ES|QL")
    return node


def stamped(documents: list[Document]) -> list[Document]:
    """Documents with their fields nested, ``ago`` seconds back from now; a millisecond apart for time series."""
    now = datetime.now(timezone.utc)
    made = []
    for place, flat in enumerate(documents):
        document: Document = {}
        for key, value in flat.items():
            if key != "ago":
                put(document, key, value)
        at = now - timedelta(seconds=flat["ago"], milliseconds=place)
        made.append({**document, "@timestamp": at.isoformat(timespec="milliseconds")})
    return made


@contextmanager
def filled(node: Node, pattern: str, documents: list[Document]) -> Iterator[str]:
    """The name of a data stream that fits the pattern and holds the documents."""
    name = pattern.replace("*", f"test{secrets.token_hex(4)}")
    try:
        if pattern == OTHER:
            mappings = {"properties": OTHER_FIELDS}
            index = {"index_patterns": [name], "priority": 900, "data_stream": {}, "template": {"mappings": mappings}}
            node.call("PUT", f"_index_template/{name}", index)
            node.call("PUT", f"_data_stream/{name}")
        else:
            install_templates(node, STREAMS[pattern], read_fields(load(), STREAMS[pattern], ecs()), name)
        if documents:
            store(node, name, stamped(documents))
        yield name
    finally:
        remove(node, name)


def asked(node: Node, name: str, documents: list[Document]) -> list[dict[str, Any]]:
    """The rows that a rule gets: any row is an alert."""
    params = template("alerting_rule", name)["params"]
    esql = params["esqlQuery"]["esql"]
    pattern = next(one for one in (*STREAMS, OTHER) if f"FROM {one}\n" in esql)
    window = f"now-{params['timeWindowSize']}{params['timeWindowUnit']}"
    with filled(node, pattern, documents) as stream:
        query = {"range": {params["timeField"]: {"gt": window, "lte": "now"}}}
        answer = node.call("POST", "_query", {"query": esql.replace(pattern, stream), "filter": query})
    columns = [column["name"] for column in answer["columns"]]
    return [dict(zip(columns, row, strict=True)) for row in answer["values"]]


def test_every_template_is_tried() -> None:
    assert {name for name, _ in FIRES} == names("alerting_rule")
    assert {name for name, _ in SILENT} == names("alerting_rule")
    assert {name for name, _ in RATIOS} == names("slo")


@pytest.mark.parametrize(("name", "case"), FIRES, ids=map("-".join, FIRES))
def test_a_rule_fires(name: str, case: str, queries: Node) -> None:
    documents, rows = FIRES[name, case]
    found = asked(queries, name, documents)
    assert [{key: row[key] for key in want} for row, want in zip(found, rows, strict=True)] == rows


@pytest.mark.parametrize(("name", "case"), SILENT, ids=map("-".join, SILENT))
def test_a_rule_is_silent(name: str, case: str, queries: Node) -> None:
    assert asked(queries, name, SILENT[name, case]) == []


@pytest.mark.parametrize(("name", "case"), RATIOS, ids=map("-".join, RATIOS))
def test_an_objective_counts_good_and_all(name: str, case: str, queries: Node) -> None:
    documents, (good, total) = RATIOS[name, case]
    params = template("slo", name)["indicator"]["params"]
    with filled(queries, params["index"], documents) as stream:
        found = [
            queries.call(
                "POST", f"{stream}/_count", {"query": {"bool": {"filter": [{"kql": {"query": one}} for one in some]}}}
            )
            for some in ((params["filter"], params["good"]), (params["filter"], params["total"]))
        ]
    assert [answer["count"] for answer in found] == [good, total]
