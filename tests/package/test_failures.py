"""Each pipeline made to fail: it says so itself, once, nothing goes on behind it, and no secret is in what is left.

Rules: the pipelines are copies under other names, but those that need none. One throws: a redacting or the main one
at their start, where nothing has been taken out yet, any other at its end, where the document is half made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kibana_assets.package.streams import Stream, pipelines, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node
from tests.package.case import cases
from tests.package.fuzz.target import FAILED
from tests.package.privacy import marked
from tests.package.simulate import Document

STREAMS = {stream.name: stream for stream in streams(load())}
EVERY = [(stream, name) for stream in STREAMS.values() for name in pipelines(load(), stream)]
# Every document goes through its end again, failed ones too: what fails there is refused as a whole.
LAST = [(stream, name) for stream, name in EVERY if name.endswith("-finish")]
BOTH = ["preserve_original_event", "keep_prompts"]
THROW = {"script": {"tag": "broken", "lang": "painless", "source": "throw new IllegalArgumentException('broken')"}}


def _id(value: object) -> str:
    return value.rpartition("local_llm.")[2] if isinstance(value, str) else ""


@contextmanager
def failing(node: Node, stream: Stream, name: str) -> Iterator[str]:
    """The stream's pipelines, of which ``name`` throws; gives the id of the main one."""
    found = pipelines(load(), stream)
    early = name in (stream.pipeline_id(), stream.pipeline_id("redact"))
    found[name]["processors"].insert(1 if early else len(found[name]["processors"]), THROW)
    wanted = {name} | {one for one, body in found.items() if f'"{name}"' in json.dumps(body)} | {stream.pipeline_id()}
    copies = {_copy(one): json.dumps(body) for one, body in found.items() if one in wanted}
    for one, text in copies.items():
        for other in wanted:
            text = text.replace(f'"{other}"', f'"{_copy(other)}"')
        node.call("PUT", f"_ingest/pipeline/{one}", json.loads(text))
    yield _copy(stream.pipeline_id())
    for one in reversed(copies):
        node.call("DELETE", f"_ingest/pipeline/{one}")


def answers(node: Node, pipeline: str, events: list[Document]) -> list[dict[str, Any]]:
    """What ``_simulate`` says of each, without the events that are dropped."""
    docs = [{"_source": event} for event in events]
    found = node.call("POST", f"_ingest/pipeline/{pipeline}/_simulate", {"docs": docs})["docs"]
    return [answer for answer in found if answer]


def failed(node: Node, stream: Stream, name: str, events: list[Document]) -> list[Document]:
    """The documents at which the pipeline ``name`` failed."""
    with failing(node, stream, name) as main:
        made: list[Document] = [answer["doc"]["_source"] for answer in answers(node, main, events) if "doc" in answer]
    return [document for document in made if FAILED in json.dumps(document)]


def events_of(stream: Stream) -> list[Document]:
    return [{**event} for case in cases(stream) for event in case.events()]


@pytest.mark.parametrize(("stream", "name"), [one for one in EVERY if one not in LAST], ids=_id)
def test_a_pipeline_that_fails_says_so_once(node: Node, stream: Stream, name: str) -> None:
    found = failed(node, stream, name, events_of(stream))
    assert found, "no test of the stream comes here"
    for document in found:
        assert document["event"]["kind"] == "pipeline_error"
        message = document["error"]["message"]
        told = [text for text in message if FAILED in str(text)] if isinstance(message, list) else [message]
        assert told == [
            f"Processor 'script' with tag 'broken' in pipeline '{_copy(name)}' failed with message 'broken'"
        ]
        assert not {"_tmp", "_conf", "prometheus"} & set(document)
        assert "s3cr3t" not in json.dumps(document["error"])


@pytest.mark.parametrize(("stream", "name"), LAST, ids=_id)
def test_what_cannot_be_ended_is_refused_and_says_where(node: Node, stream: Stream, name: str) -> None:
    with failing(node, stream, name) as main:
        found = answers(node, main, events_of(stream)[:1])
    assert found[0]["error"]["type"] == "fail_processor_exception"
    assert found[0]["error"]["reason"] == f"Processor 'broken' of pipeline '{_copy(name)}' failed"


@pytest.mark.parametrize(
    ("stream", "name"), [one for one in EVERY if one[0].name in ("vllm", "lmstudio") and one not in LAST], ids=_id
)
def test_nothing_that_users_wrote_is_in_a_document_that_failed(node: Node, stream: Stream, name: str) -> None:
    found = failed(node, stream, name, [{"message": text} for text in marked(stream)])
    assert found
    for document in found:
        assert document["message"] == "The ingest pipeline failed at this event"
        assert not [word for word in ("qzx", "xzq", "TOPSECRET") if word in json.dumps(document)]


REDACTING = [(stream, name) for stream, name in EVERY if name == stream.pipeline_id("redact")]


@pytest.mark.parametrize(("stream", "name"), [one for one in REDACTING if one[0].type == "logs"], ids=_id)
def test_a_line_that_was_not_redacted_is_not_kept(node: Node, stream: Stream, name: str) -> None:
    found = failed(node, stream, name, [{**event, "tags": BOTH} for event in events_of(stream)])
    assert found
    assert [document for document in found if "original" in document["event"]] == []


def test_where_no_secret_can_be_left_a_failed_document_keeps_its_line(node: Node) -> None:
    stream = STREAMS["proxy_error"]
    found = failed(node, stream, stream.pipeline_id("reason"), events_of(stream))
    assert found
    assert all("original" in document["event"] for document in found)


def test_a_scrapes_address_has_no_credentials_where_it_could_not_be_redacted(node: Node) -> None:
    stream = STREAMS["vllm_metrics"]
    said = 'Get "http://me:s3cr3t@gpu1/metrics?key=s3cr3t": refused'
    event = {"error": {"message": said}, "service": {"address": "gpu1"}, "@timestamp": "2026-11-21T12:00:00Z"}
    (document,) = failed(node, stream, stream.pipeline_id("redact"), [event])
    assert "s3cr3t" not in json.dumps(document)
    (document,) = failed(node, stream, stream.pipeline_id("labels"), [event])
    assert document["error"]["message"][0] == 'Get "http://gpu1/metrics?[redacted]": refused'


def _copy(text: str) -> str:
    return text.replace("-local_llm.", "-failing.")
