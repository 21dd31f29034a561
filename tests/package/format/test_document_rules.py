"""Each of elastic-package's rules for documents finds what it is for, and nothing in a good one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import load
from tests.package.format.documents import FILE_NAME, refused

ACCESS = next(stream for stream in streams(load()) if stream.name == "proxy_access")
FIELDS = read_fields(load(), ACCESS, ecs())
GOOD = {
    "event": {
        "kind": "event",
        "category": ["web"],
        "type": ["access"],
        "outcome": "success",
        "dataset": ACCESS.dataset,
    },
    "data_stream": {"dataset": ACCESS.dataset},
    "source": {"ip": "81.2.69.142", "port": 443},
    "tags": ["one"],
}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("event.kind", "pipeline_error", "expected a pipeline that works"),
        ("event.kind", "thing", "event.kind: found 'thing', expected one of alert"),
        ("event.outcome", "good", "event.outcome: found 'good'"),
        ("event.category", ["webs"], "event.category: found 'webs'"),
        ("event.type", ["denied"], "event.type: found 'denied', expected of ['web'] one of access, error, info"),
        ("event.category", "web", "event.category: found 'web', expected a list"),
        ("event.dataset", "nginx.access", "event.dataset: found 'nginx.access', expected 'local_llm.proxy_access'"),
        ("data_stream.dataset", "x", "data_stream.dataset: found 'x'"),
        ("source.ip", "8.8.8.8", "source.ip: found '8.8.8.8', expected an address for tests"),
        ("source.ip", "unix:", "source.ip: found 'unix:'"),
        ("source.port", "443", "source.port: found '443', expected a number"),
        ("source.port", True, "source.port: found True, expected a number"),
        ("tags", "one", "tags: found 'one', expected a list"),
        ("tags", [1], "tags: found 1, expected a text"),
    ],
)
def test_what_is_refused(name: str, value: object, says: str) -> None:
    document: dict[str, Any] = json.loads(json.dumps(GOOD))
    above, _, last = name.rpartition(".")
    (document[above] if above else document)[last] = value
    found = list(refused(document, ACCESS.dataset, FIELDS))
    assert any(says in text for text in found), found


def test_a_good_document() -> None:
    assert list(refused(GOOD, ACCESS.dataset, FIELDS)) == []


@pytest.mark.parametrize(
    "name", ["test-0.4.json", "test-a_b.log", "sample.log", "test-a.txt", "test-a.json-config.yaml"]
)
def test_a_name_that_the_format_refuses(name: str) -> None:
    assert not FILE_NAME.fullmatch(name)
