"""What is asked in a rehearsal, of a server that behaves and of servers that do not."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from bundler.digest import Digest
from bundler.errors import EngineError
from bundler.serving.plan import ServePlan
from bundler.site.chat import Line
from bundler.site.rehearse import questions
from bundler.site.stream import Streamed
from tests.counterparts.model_server import Behaviour, ModelServer

PLAN = ServePlan("vllm", Digest("0" * 64), "models/m", "mistral-small", context=4096)

Question = Callable[[Line, ServePlan], str]


@contextmanager
def model(**behaviour: Any) -> Iterator[Line]:
    """A way to a model's server."""
    made = Behaviour(**behaviour)
    with ModelServer(made) as server:
        yield Line("127.0.0.1", int(server.host.rpartition(":")[2]), token=made.token)


@contextmanager
def answering(document: Any, status: int = 200) -> Iterator[Line]:
    """A way to a server that answers everything so."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield Line("127.0.0.1", running.server_address[1])
        finally:
            running.shutdown()


def said(message: Any) -> dict[str, Any]:
    return {"choices": [{"message": message}], "usage": {"completion_tokens": 5}}


def called(name: Any, arguments: Any) -> dict[str, Any]:
    return said({"content": None, "tool_calls": [{"function": {"name": name, "arguments": arguments}}]})


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (questions.models, "mistral-small"),
        (questions.chat, "5 characters, 3 tokens, after"),
        (questions.streamed, "24 pieces"),
        (questions.tool_call, "a call of get_weather with valid arguments"),
    ],
)
def test_a_server_that_behaves(question: Question, found: str) -> None:
    with model() as line:
        assert found in question(line, PLAN)


def test_a_model_that_thinks_has_answered_too() -> None:
    with answering(said({"content": None, "reasoning_content": "hm"})) as line:
        assert questions.chat(line, PLAN).startswith("2 characters, 5 tokens, after ")


def test_no_more_is_asked_for_than_the_context_holds() -> None:
    """The server refuses what would not fit."""
    plan = replace(PLAN, context=200)
    with model(context=200) as line:
        assert questions.chat(line, plan)
        assert questions.tool_call(line, plan)


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ("text", "the call stands in the text: the server's tool-call parser does not fit this model"),
        ("off", "expected 200, found 400: .*requires --enable-auto-tool-choice"),
    ],
)
def test_a_server_that_parses_no_calls(tools: str, words: str) -> None:
    with model(tools=tools) as line, pytest.raises(EngineError, match=words):
        questions.tool_call(line, PLAN)


@pytest.mark.parametrize(
    ("question", "document", "words"),
    [
        (questions.models, {"data": [{"id": "other"}]}, "expected mistral-small among the models, found other"),
        (questions.models, {"data": []}, "found none"),
        (questions.models, [], "expected a list of models"),
        (questions.models, b"[" * 100_000, "expected a list of models"),
        (questions.chat, said({"content": ""}), "an empty answer"),
        (questions.chat, said(None), "expected choices with a message"),
        (questions.chat, {"choices": []}, "expected choices with a message"),
        (questions.chat, b"<html>", "expected JSON"),
        (questions.tool_call, said({"content": "It is sunny."}), "the model answered without a call"),
        (questions.tool_call, called("get_weather", "{"), "arguments in JSON"),
        (questions.tool_call, called("get_weather", {"city": "Berlin"}), "arguments in JSON"),
        (questions.tool_call, called("get_weather", "{}"), "expected a call of get_weather with a city"),
        (questions.tool_call, called("other", '{"city": "Berlin"}'), "expected a call of get_weather"),
        (questions.tool_call, called("get_weather", "[]"), "expected a call of get_weather"),
        (questions.tool_call, said({"tool_calls": [7]}), "arguments in JSON"),
        (questions.embeddings, {"data": []}, "expected data with an embedding"),
        (questions.embeddings, {"data": [{"embedding": []}]}, "expected an embedding of numbers"),
        (questions.embeddings, {"data": [{"embedding": "abc"}]}, "expected an embedding of numbers"),
        (questions.embeddings, {"data": [{"embedding": 3}]}, "expected data with an embedding"),
        (questions.no_token, {"data": []}, "/v1/models: expected 401, found 200"),
        (questions.other_paths, {}, "GET /metrics: expected 404, found 200"),
    ],
)
def test_anything_else_is_told(question: Question, document: Any, words: str) -> None:
    with answering(document) as line, pytest.raises(EngineError, match=words):
        question(line, PLAN)


def test_an_embedding() -> None:
    with answering({"data": [{"embedding": [0.5, -1, 2e-3]}]}) as line:
        assert questions.embeddings(line, PLAN) == "3 dimensions"


def test_refusals_are_what_is_expected_of_a_proxy() -> None:
    with answering({"error": {}}, 401) as line:
        assert questions.no_token(line, PLAN) == "/v1/models: 401"
    with answering({"error": {}}, 404) as line:
        assert questions.other_paths(line, PLAN) == "GET /metrics: 404, POST /invocations: 404"


def test_a_stream_that_was_held_back_is_found() -> None:
    with pytest.raises(EngineError, match=r"held back and came all at once: first token after 2\.00 s"):
        questions.flows(Streamed(first=2.0, last=2.001, end=2.002, pieces=40, tokens=40))
    with pytest.raises(EngineError, match="expected many pieces, found one"):
        questions.flows(Streamed(first=0.1, last=0.1, end=0.2, pieces=1, tokens=40))
    flowing = questions.flows(Streamed(first=0.5, last=2.5, end=2.6, pieces=40, tokens=41))
    assert flowing == "first token after 0.50 s, the end after 2.60 s, 40 pieces, 20.0 tokens/s"
    # Too quick to tell: a small model on a large GPU.
    assert questions.flows(Streamed(first=0.1, last=0.1001, end=0.11, pieces=40, tokens=None))


@pytest.mark.parametrize(
    ("args", "embeds"),
    [
        (("--task", "embed"), True),
        (("--task=embedding",), True),
        (("--runner", "pooling"), True),
        (("--convert=embed",), True),
        (("--task", "generate"), False),
        (("--runner",), False),
        ((), False),
    ],
)
def test_whether_a_model_embeds(args: tuple[str, ...], embeds: bool) -> None:
    assert questions.makes_embeddings(replace(PLAN, args=args)) is embeds
