"""Each expected document is declared, is indexed into a data stream made from our templates, and is read back."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.templates import index_mode
from kibana_assets.package.tree import CHECKOUT, load
from tests.counterparts.elasticsearch import Node
from tests.package.case import Case, cases
from tests.package.declared import undeclared
from tests.package.format.documents import FILE_NAME, refused
from tests.package.simulate import Document, leaves
from tests.package.store import install_templates, remove, store

STREAMS = list(streams(load()))
CASES = [case for stream in STREAMS for case in cases(stream)]


def _id(value: object) -> str:
    if isinstance(value, Case):
        return f"{value.stream.name}-{value.path.name}"
    return f"{value.name}-" if isinstance(value, Stream) else ""


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_every_field_is_declared(case: Case) -> None:
    fields = read_fields(load(), case.stream, ecs())
    missing = {name for document in case.expected() if document for name in undeclared(document, fields)}
    assert not missing, f"not declared in fields/ of {case.stream.name}: {', '.join(sorted(missing))}"


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_elastic_package_takes_every_document(case: Case) -> None:
    """But those of a case that it is told to leave out."""
    fields = read_fields(load(), case.stream, ecs())
    found = {
        text for document in case.expected() if document for text in refused(document, case.stream.dataset, fields)
    }
    if "skip" in case.config:
        assert found and all(text.startswith("event.kind: found 'pipeline_error'") for text in found)
    else:
        assert not found


@pytest.mark.parametrize("stream", STREAMS, ids=_id)
def test_elastic_package_takes_every_sample(stream: Stream) -> None:
    sample = load().json(f"{stream.path}/sample_event.json")
    assert list(refused(sample, stream.dataset, read_fields(load(), stream, ecs()))) == []


@pytest.mark.parametrize("stream", STREAMS, ids=_id)
def test_every_file_of_a_pipeline_test_is_one_that_the_format_knows(stream: Stream) -> None:
    files = [path for path in (CHECKOUT / stream.path / "_dev").rglob("*") if path.is_file()]
    assert [path.name for path in files if not FILE_NAME.fullmatch(path.name) or path.stat().st_size == 0] == []
    assert {path.parent.relative_to(CHECKOUT / stream.path).as_posix() for path in files} == {"_dev/test/pipeline"}


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_every_document_has_its_time_and_no_field_with_nothing(case: Case) -> None:
    """But ``message``, which is empty where a line is."""
    for place, document in enumerate(case.expected()):
        if document is None:
            continue
        assert "@timestamp" in document, f"{case.path.name}[{place}]: no @timestamp"
        empty = [name for name, value in leaves(document) if value is None or (value == "" and name != "message")]
        assert not empty, f"{case.path.name}[{place}]: empty fields {empty}"


@pytest.mark.parametrize("stream", STREAMS, ids=_id)
def test_every_expected_document_is_stored(stream: Stream, node: Node, data_stream: str) -> None:
    documents = [document for case in cases(stream) for document in case.expected() if document]
    if not documents:
        pytest.skip(f"{stream.name} has no pipeline tests")
    fields = read_fields(load(), stream, ecs())
    names = install_templates(node, stream, fields, data_stream)
    before = names.mapping()
    stored = store(node, data_stream, documents)
    for place, (sent, hit) in enumerate(zip(documents, stored, strict=True)):
        assert _comparable(stream, hit["_source"]) == _comparable(stream, sent), f"document {place}"
        assert _cut(sent, hit.get("_ignored", ())) == [], f"document {place}: values do not fit: {json.dumps(sent)}"
    new: Document = dict.fromkeys(_typed(names.mapping()) - _typed(before), 0)
    surprising = undeclared(new, [field for field in fields if "object_type" in field.entry])
    assert surprising == [], "fields that the templates do not have"


@pytest.fixture
def data_stream(stream: Stream, node: Node) -> Iterator[str]:
    """A data stream's name of its own, taken away afterwards."""
    name = stream.data_stream(f"test{secrets.token_hex(4)}")
    yield name
    remove(node, name)


def _comparable(stream: Stream, document: Document) -> Document:
    """A time series keeps no source but makes it anew from the fields: each is there, in an order of its own."""
    if index_mode(stream) != "time_series":
        return document
    document = {**document, "@timestamp": datetime.fromisoformat(document["@timestamp"].replace("Z", "+00:00"))}
    return {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in leaves(document)
    }


def _cut(document: Document, ignored: list[str]) -> list[str]:
    """What was ignored for another reason than its length, which ``ignore_above`` is for."""
    long = {name for name, value in leaves(document) if any(len(str(one)) > 1024 for one in _list(value))}
    return [name for name in ignored if name not in long]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _typed(mapping: dict[str, Any], above: str = "") -> set[str]:
    found = set()
    for name, entry in mapping.get("properties", {}).items():
        if "type" in entry:
            found.add(f"{above}{name}")
        found |= _typed(entry, f"{above}{name}.")
    return found
