"""The @custom pipelines on real Elasticsearch: they say of documents of other integrations what ours say of our own.

Rules: documents as Elastic's Nginx pipelines leave them are made from what our pipeline tests expect, without what a
call or an error means; the @custom pipeline must find the same meaning. LM Studio's events must come out alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kibana_assets.errors import PackageError, UsageError
from kibana_assets.package.custom import ACCESS, ERROR, custom_pipelines
from kibana_assets.package.streams import pipelines, streams
from kibana_assets.package.tree import Tree, load
from tests.counterparts.elasticsearch import Node
from tests.package.case import Case, cases
from tests.package.privacy import marked
from tests.package.simulate import Document, simulate, text, without_dynamic

STREAMS = {stream.name: stream for stream in streams(load())}
DATASET = "my_lmstudio.log"
LMSTUDIO = f"logs-{DATASET}@custom"
MEANING = ("action", "outcome", "reason", "type")
KEY = "sk-abcdefghijklmnop1234"
LONG = "Zx9" * 15
SECRETS = (KEY, LONG, "geheim", "hunter2")


@pytest.fixture(scope="module")
def custom(node: Node) -> Iterator[Node]:
    """The node with the @custom pipelines alone, which must need no other."""
    made = custom_pipelines(load(), DATASET)
    for stream in STREAMS.values():
        for name in reversed(pipelines(load(), stream)):
            node.call("DELETE", f"_ingest/pipeline/{name}")
    for name, body in made.items():
        node.call("PUT", f"_ingest/pipeline/{name}", body)
    yield node
    for name in reversed(made):
        node.call("DELETE", f"_ingest/pipeline/{name}")
    for stream in STREAMS.values():
        for name, body in pipelines(load(), stream).items():
            node.call("PUT", f"_ingest/pipeline/{name}", body)


def expected(name: str) -> Iterator[Document]:
    for case in cases(STREAMS[name]):
        yield from (document for document in case.expected() if document)


def meaning(document: Document) -> dict[str, Any]:
    """What a call came to, or an error means."""
    event, error = document["event"], document.get("error", {})
    said = {name: event.get(name) for name in MEANING}
    return said | {
        "code": error.get("code"),
        "system": error.get("type"),
        "operation": document.get("gen_ai", {}).get("operation"),
        "denied": "api" in event["category"],
    }


def one(node: Node, pipeline: str, document: Document) -> Document:
    found = simulate(node, pipeline, [document])[0]
    assert found is not None
    return found


def access(document: Document) -> Document:
    """As Elastic's pipeline of the access log leaves it: outcome by the status, times in milliseconds."""
    kept = ("@timestamp", "http", "url", "source", "user_agent", "user", "local_llm")
    made = {name: document[name] for name in kept if name in document}
    outcome = "success" if document["http"]["response"]["status_code"] < 400 else "failure"
    made["event"] = {"kind": "event", "category": ["web"], "type": ["access"], "outcome": outcome}
    if "duration" in document["event"]:
        made["nginx"] = {"access": {"response_time": document["event"]["duration"] // 1_000_000}}
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]


def error(document: Document) -> Document:
    """As Elastic's pipeline of the error log leaves it: one message, with all that follows in the line."""
    address = document.get("source", {}).get("address")
    behind = f', client: {address}, server: _, request: "GET / HTTP/1.1", host: "x"' if address else ""
    return {
        "@timestamp": document["@timestamp"],
        "message": document.get("message", "") + behind,
        "log": {"level": document["log"]["level"]},
        "event": {"kind": "event", "category": ["web"], "type": ["error"]},
    }


def test_a_call_of_elastics_access_log_means_what_it_means_in_ours(custom: Node) -> None:
    ours = [document for document in expected("proxy_access") if document.get("http", {}).get("response")]
    # Our JSON alone tells whether an engine was asked; elsewhere a refusal of its own cannot be told from the proxy's.
    told = [document for document in ours if "request" in document["http"] and "id" not in document["http"]["request"]]
    assert len(told) > 40
    found = simulate(custom, ACCESS, [access(document) for document in told])
    for document, made in zip(told, found, strict=True):
        assert made is not None
        want = meaning(document) | {"denied": False}
        assert meaning(made) == want, document["url"]
        assert "_tmp" not in made
        assert made["event"]["kind"] == "event"
        milliseconds = made["nginx"]["access"]["response_time"] if "nginx" in made else None
        assert made["event"].get("duration") == (None if milliseconds is None else milliseconds * 1_000_000)


def test_an_error_of_elastics_error_log_means_what_it_means_in_ours(custom: Node) -> None:
    ours = [document for document in expected("proxy_error") if document.get("log", {}).get("level")]
    ours = [document for document in ours if "[redacted]" not in document.get("message", "")]
    assert len({document["error"]["code"] for document in ours if "error" in document}) > 15
    asked = [error(document) for document in ours]
    for document, question, made in zip(ours, asked, simulate(custom, ERROR, asked), strict=True):
        assert made is not None
        assert meaning(made) == meaning(document), question["message"]
        assert made.get("message") == question["message"]
        assert "_tmp" not in made


@pytest.mark.parametrize("case", list(cases(STREAMS["lmstudio"])), ids=lambda case: str(case.path.name))
def test_lm_studio_under_another_dataset_is_read_as_ours(case: Case, custom: Node) -> None:
    found = simulate(custom, LMSTUDIO, case.events(), f"logs-{DATASET}-default")
    assert text(without_dynamic(case, found)) == text(without_dynamic(case, case.expected()))


def test_nothing_of_a_prompt_is_kept_under_another_dataset(custom: Node) -> None:
    texts = marked(STREAMS["lmstudio"])
    made = simulate(custom, LMSTUDIO, [{"message": one} for one in texts])
    assert sum("qzx" in one for one in texts) > 70
    assert "qzx" not in json.dumps(made)


HOSTILE: Document = {
    "event": {"original": f'1.2.3.4 - - "GET /v1/models?api_key=geheim HTTP/1.1" "Bearer {LONG}"', "type": ["access"]},
    "message": f"Authorization: hunter2, client: 1.2.3.4, key {KEY}",
    "log": {"level": "error"},
    "http": {"request": {"method": "GET", "referrer": "http://x/?token=geheim"}, "response": {"status_code": 200}},
    "url": {
        "original": "http://me:hunter2@host/v1/models?password=geheim&a=b",
        "path": f"/v1/{KEY}",
        "query": "password=geheim&a=b",
        "user_info": "me:hunter2",
        "username": "me",
        "password": "hunter2",
        "domain": "host",
    },
    "user_agent": {"original": f"curl/8 {LONG}"},
    "user": {"name": LONG},
    "related": {"user": [LONG]},
    "tags": ["preserve_original_event"],
}


@pytest.mark.parametrize("pipeline", [ACCESS, ERROR])
def test_no_secret_is_left(custom: Node, pipeline: str) -> None:
    assert all(secret in json.dumps(HOSTILE) for secret in SECRETS)
    made = one(custom, pipeline, HOSTILE)
    written = json.dumps(made)
    assert [secret for secret in SECRETS if secret in written] == []
    assert made["url"]["original"] == "http://host/v1/models?password=[redacted]&a=b"
    assert made["url"]["query"] == "password=[redacted]&a=b"
    assert set(made["url"]) == {"original", "path", "query", "domain"}
    assert made["related"] == {"user": [made["user"]["name"]]}
    assert made["event"]["original"].startswith('1.2.3.4 - - "GET /v1/models?api_key=[redacted] HTTP')
    assert made["event"]["outcome"] == ("success" if pipeline == ACCESS else "failure")


def test_the_separator_in_a_text_hides_all_texts_where_one_is_secret(custom: Node) -> None:
    made = one(custom, ERROR, {"message": f'a"\x00"b {KEY}', "url": {"path": "/p"}, "log": {"level": "error"}})
    assert made["message"] == "[redacted]"
    assert made["url"] == {"path": "[redacted]"}
    assert made["error"]["code"] == "other"


HARMLESS: list[Document] = [
    {},
    {"event": {"kind": "event"}},
    {"message": "", "log": {"level": "error"}},
    {"message": ["x", "y"], "log": {"level": "error"}},
    {"http": {"response": {"status_code": "200"}}},
    {"user": ["z"], "related": "r"},
    {"url": {"original": "/ä?q=1&b=" + "x " * 20000, "query": "q=1"}, "event": {"original": "?", "type": ["access"]}},
    {"user": {"name": "-"}, "related": {"user": ["-", "b"]}},
    {"nginx": {"access": {"response_time": None}}, "url": {"query": ""}},
]


@pytest.mark.parametrize("pipeline", [ACCESS, ERROR])
@pytest.mark.parametrize("document", HARMLESS, ids=lambda document: json.dumps(document)[:40])
def test_what_is_odd_stays_as_it_is(custom: Node, pipeline: str, document: Document) -> None:
    made = one(custom, pipeline, document)
    assert made["event"].get("kind") != "pipeline_error", made
    assert "_tmp" not in made
    for name, value in document.items():
        assert name == "event" or made[name] == value
    no = {"original": "none"}
    assert {**no, **made["event"]}["original"] == {**no, **document.get("event", {})}["original"]


@pytest.mark.parametrize(
    ("pipeline", "document", "tag"),
    [
        (ACCESS, {"url": "y", "event": {"original": "o"}}, "script_pack"),
        (ACCESS, {"error": "e", "http": {"response": {"status_code": 500}}, "event": {"original": "o"}}, ""),
        (ERROR, {"log": "l", "message": "m"}, "script_head"),
        (ERROR, {"log": {"level": "error"}, "message": "m", "error": "e"}, ""),
    ],
)
def test_a_failure_is_told_and_loses_nothing(custom: Node, pipeline: str, document: Document, tag: str) -> None:
    """A script fails where a text is in the place of an object; an error that is a text itself cannot be added to."""
    made = one(custom, pipeline, document)
    assert made["event"].pop("kind") == "pipeline_error"
    assert made["event"].get("original") == document.get("event", {}).get("original")
    assert "_tmp" not in made
    assert {name: value for name, value in made.items() if name not in ("event", "error")} == {
        name: value for name, value in document.items() if name not in ("event", "error")
    }
    assert not tag or tag in str(made["error"])


def test_the_ids_are_those_that_fleet_calls() -> None:
    assert set(custom_pipelines(load())) == {"logs-nginx.access@custom", "logs-nginx.error@custom"}
    found = list(custom_pipelines(load(), DATASET))
    assert set(found) - {ACCESS, ERROR} >= {LMSTUDIO, f"{LMSTUDIO}-header"}
    assert found[-1] == LMSTUDIO, "those that it calls come first"
    bodies = json.dumps(list(custom_pipelines(load(), DATASET).values()))
    assert "local_llm.lmstudio-" not in bodies, "calls a pipeline of the package"


def test_every_processor_has_a_tag_of_its_own() -> None:
    for name, body in custom_pipelines(load(), DATASET).items():
        tags = [inner["tag"] for processor in body["processors"] for inner in processor.values()]
        assert len(set(tags)) == len(tags), name


@pytest.mark.parametrize(
    ("dataset", "says"),
    [
        ("nginx.access", "cannot be the dataset"),
        ("Upper", "cannot be the dataset"),
        ("a-b", "cannot be the dataset"),
        ("", "cannot be the dataset"),
        ("a/../b", "cannot be the dataset"),
        ("x" * 101, "cannot be the dataset"),
        ("local_llm.lmstudio", "has its pipelines already"),
    ],
)
def test_a_dataset_that_cannot_be_is_refused(dataset: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        custom_pipelines(load(), dataset)


REDACT = "data_stream/proxy_error/elasticsearch/ingest_pipeline/redact.yml"
PACKAGE = load().files
LACKING = {
    "data_stream/proxy_access: missing": {path: data for path, data in PACKAGE.items() if "proxy_access/" not in path},
    "no processor has the tag 'script_llm_request'": {
        path: data.replace(b"tag: script_llm_request", b"tag: another") for path, data in PACKAGE.items()
    },
    "data_stream/proxy_error: no pipeline 'redact'": {
        path: data.replace(b'"redact"', b'"reason"') if "proxy_error/" in path else data
        for path, data in PACKAGE.items()
        if path != REDACT
    },
}


@pytest.mark.parametrize("says", LACKING)
def test_a_package_without_the_parts_is_told(says: str) -> None:
    with pytest.raises(PackageError, match=says):
        custom_pipelines(Tree(LACKING[says]))
