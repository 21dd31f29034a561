"""config/serve.json: written and read back, and everything that it must not be."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.serving.plan import MAX_BYTES, ServePlan, decode

PLAN = ServePlan(
    image="docker.io/vllm/vllm-openai:v0.10.2",
    digest=Digest("ab" * 32),
    model="models/org/name",
    served_name="org/name",
    context=65536,
    gpus=2,
    args=("--tool-call-parser", "hermes", "--x", "$HOME %h \"quoted\" 'single' \\ back"),
    env=(("DO_NOT_TRACK", "1"), ("HF_HUB_OFFLINE", "1")),
    tool_parser="hermes",
    vocabularies="extra/tiktoken",
    replicas=3,
    upstreams=("192.0.2.7:8000", "[2001:db8::7]:8000", "gpu-2.example.internal:8000"),
    beside=("models/org/draft", "extra/chat.jinja"),
)
LINES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=60)


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(PLAN.encode()), **changes}).encode()


@given(st.lists(LINES, max_size=5), st.dictionaries(st.from_regex("[A-Z_]{1,9}", fullmatch=True), LINES), LINES)
def test_round_trip(args: list[str], env: dict[str, str], name: str) -> None:
    plan = replace(PLAN, args=tuple(args), env=tuple(sorted(env.items())), served_name=name)
    assert decode(plan.encode()) == plan


def test_what_may_be_absent() -> None:
    plan = ServePlan("i", Digest("0" * 64), "models/m", "m")
    assert decode(plan.encode()) == plan


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "llm-bundle-serve/2"}, 'format: expected "llm-bundle-serve/1"'),
        ({"engine": "sh"}, 'engine: expected "vllm", found "sh"'),
        ({"model": "/etc"}, "model: expected a path below models/"),
        ({"model": "models/../../etc"}, "model: expected a path below models/"),
        ({"model": "images/x"}, "model: expected a path below models/"),
        ({"model": 7}, "model: expected a text"),
        ({"vocabularies": "../x"}, "vocabularies: expected a path below the release"),
        ({"digest": "sha512:00"}, "digest: expected a SHA-256 digest"),
        ({"context": 0}, "context: expected a number of tokens from 1"),
        ({"context": 10**12}, "context: expected a number of tokens from 1"),
        ({"context": 1.5}, "context: expected a whole number"),
        ({"gpus": 0}, "gpus: expected a whole number from 1 to 1024"),
        ({"gpus": True}, "gpus: expected a whole number"),
        ({"port": 70000}, "port: expected a whole number"),
        ({"port": 0}, "port: expected a whole number from 1 to 65535"),
        ({"health": "health"}, "health: expected a path such as /health"),
        ({"health": "/x'); import os; ('"}, "health: expected a path such as /health"),
        ({"args": "x"}, "args: expected a list of at most 1000 texts"),
        ({"args": [1]}, "args: expected a list of texts"),
        ({"args": ["a\nExecStartPre=/bin/sh"]}, "args: expected texts of one line"),
        ({"args": ["a"] * 1001}, "args: expected a list of at most 1000 texts"),
        ({"args": ["\ud800"]}, "args: expected a list of texts"),
        ({"served_name": "a\u2028b"}, "served_name: expected a text of one line"),
        ({"image": "a\x00b"}, "image: expected a text of one line"),
        ({"env": []}, "env: expected an object"),
        ({"env": {"A": "b\nC=d"}}, "env: A: expected a text of one line"),
        ({"env": {"A B": "c"}}, "env: expected names of"),
        ({"env": {"A": None}}, "env: A: expected a text"),
        ({"tool_parser": ""}, "tool_parser: expected a text"),
        ({"replicas": 0}, "replicas: expected a whole number from 1 to 64"),
        ({"replicas": 65}, "replicas: expected a whole number"),
        ({"replicas": True}, "replicas: expected a whole number"),
        ({"replicas": 8, "gpus": 129}, "replicas: expected at most 1024 GPUs together"),
        ({"upstreams": "a:1"}, "upstreams: expected a list of at most 64 texts"),
        ({"upstreams": ["a:1"] * 65}, "upstreams: expected a list of at most 64 texts"),
        ({"upstreams": ["a:1;}"]}, "upstreams: expected engines on other hosts as host:port"),
        ({"upstreams": ["127.0.0.1:8000"]}, "(one is this host itself)"),
        ({"upstreams": ["a:1", "A:1"]}, "(one stands twice)"),
        ({"beside": ["../x"]}, "beside: expected paths below models/ and extra/"),
        ({"beside": ["config"]}, "(one lies elsewhere)"),
        ({"beside": ["models/a\nb"]}, "(one holds a control character"),
        ({"beside": ["extra/x:/etc:rw"]}, "(one holds other characters"),
        ({"beside": ["extra/x,readonly=false"]}, "(one holds other characters"),
        ({"beside": None}, "beside: expected a list"),
    ],
)
def test_hostile(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        decode(changed(**changes))
    assert caught.value.message.startswith("config/serve.json: ")
    assert words in caught.value.message


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"7", b" " * (MAX_BYTES + 1)])
def test_no_plan_at_all(data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"^config/serve\.json: "):
        decode(data)
