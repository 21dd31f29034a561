"""The request in the lock, and the words for what differs from bundle.yml."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.spec.parse import parse_spec
from bundler.spec.request import differences, request_of
from tests.spec.texts import FULL, SMALLEST

JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize("text", [SMALLEST, FULL])
def test_request_survives_json(text: str) -> None:
    request = request_of(parse_spec(text))
    assert json.loads(json.dumps(request)) == request
    assert differences(json.loads(json.dumps(request)), request) == []


def test_a_lock_from_before_replicas_and_upstreams_still_matches() -> None:
    request = request_of(parse_spec(SMALLEST))
    serve = {key: value for key, value in request["serve"].items() if key not in ("replicas", "upstreams")}
    assert differences({**request, "serve": serve}, request) == []


def test_request_leaves_out_what_changes_no_byte() -> None:
    spec = parse_spec(FULL)
    other = replace(spec, registries={}, signing_key=None, base=Path("elsewhere"))
    assert request_of(other) == request_of(spec)


def test_spelling_of_the_defaults_does_not_matter() -> None:
    spelt = SMALLEST.replace("  - org/model\n", "  - {id: org/model, revision: main, files: {}}\n")
    spelt += "  gpus: 1\n  replicas: 1\n  upstreams: []\n  args: []\nconnectors: []\nmonitoring: {package: false}\n"
    assert request_of(parse_spec(spelt)) == request_of(parse_spec(SMALLEST))


CHANGES = [
    ("name: mistral-small", "name: other", 'name: "mistral-small" in the lock, "other" in bundle.yml'),
    ("revision: main", "revision: v2", 'models[0].revision: "main" in the lock, "v2" in bundle.yml'),
    ("version: 2026.11.0", "version: '2'", 'version: "2026.11.0" in the lock, "2" in bundle.yml'),
    ("arm64/v8", "amd64", 'platform: "linux/arm64/v8" in the lock, "linux/amd64" in bundle.yml'),
    ('stack: "9.2"\n', "stack: 9.3.0\n", 'stack: "9.2.0" in the lock, "9.3.0" in bundle.yml'),
    ("  context: 65536\n", "", "serve.context: 65536 in the lock, nothing in bundle.yml"),
    ("gpus: 2", "gpus: 4", "serve.gpus: 2 in the lock, 4 in bundle.yml"),
    ("replicas: 3", "replicas: 2", "serve.replicas: 3 in the lock, 2 in bundle.yml"),
    ("  replicas: 3\n", "", "serve.replicas: 3 in the lock, nothing in bundle.yml"),
    ("192.0.2.7:8000", "192.0.2.8:8000", 'serve.upstreams[0]: "192.0.2.7:8000" in the lock, "192.0.2.8:8000" in'),
    ("context: 65536", "context: 1", "serve.context: 65536 in the lock, 1 in bundle.yml"),
    (
        "oci:images/vllm:v0.9.1",
        "oci:images/vllm:v1",
        'serve.image: "oci:images/vllm:v0.9.1" in the lock, "oci:images/vllm:v1" in bundle.yml',
    ),
    ("filebeat: false", "filebeat: true", "monitoring.filebeat: false in the lock, true in bundle.yml"),
    ("folder: ../weights", "folder: x", 'models[1].folder: "../weights" in the lock, "x" in bundle.yml'),
    ("  - plain-name\n", "", 'models[3]: "plain-name" in the lock, nothing in bundle.yml'),
    ("llm.example.internal", "llm.example", 'server_name: "llm.example.internal" in the lock, "llm.example" in'),
    ("allow_pickle: [adapter.bin]", "allow_pickle: []", 'models[0].allow_pickle[0]: "adapter.bin" in the lock'),
    ("extra/docs/handbook.pdf", "extra/h.pdf", 'files[0].path: "extra/docs/handbook.pdf" in the lock'),
]


@pytest.mark.parametrize(("old", "new", "words"), CHANGES)
def test_each_part_is_named(old: str, new: str, words: str) -> None:
    assert FULL.count(old) == 1
    before, after = request_of(parse_spec(FULL)), request_of(parse_spec(FULL.replace(old, new)))
    (found,) = differences(before, after)
    assert words in found
    assert before != after


def test_true_is_not_one() -> None:
    assert differences({"a": 1}, {"a": True}) == ["a: 1 in the lock, true in bundle.yml"]


def test_a_missing_key_says_nothing() -> None:
    assert differences({"a": {}}, {"a": {"b": None}}) == []
    assert differences({}, {"a": {"b": 1}}) == ["a: nothing in the lock, a mapping in bundle.yml"]


def test_secrets_of_a_lock_edited_by_hand_are_not_repeated() -> None:
    (found,) = differences({"url": "https://user:topsecret@h/x?sig=topsecret"}, {"url": "https://h/x"})
    assert "topsecret" not in found


@given(JSON, JSON)
@settings(deadline=None)
def test_any_lock_gives_lines_exactly_when_it_differs(old: Any, new: Any) -> None:
    lines = differences({"request": old}, {"request": new})
    assert bool(lines) == (json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True))
    assert all("\n" not in line for line in lines)
