"""What agents do through the proxy, in front of a server that behaves as vLLM: tool calls, streams, going away."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam

from bundler.serving.nginx.config import Limits
from bundler.serving.nginx.container import container_config
from bundler.serving.nginx.render import render
from bundler.serving.nginx.version import OLDEST
from tests.counterparts.certificates import Certificate
from tests.counterparts.engine import KEY
from tests.counterparts.model_server import Behaviour, ModelServer
from tests.serving.nginx.clients import client_of
from tests.serving.nginx.running import NAME, Running, make_config

MODEL = "mistral-small"
QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "count"}]
TOOL: ChatCompletionFunctionToolParam = {"type": "function", "function": {"name": "get_alerts", "parameters": {}}}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(Behaviour(token=KEY)) as server:
        yield server


@pytest.fixture(scope="module", params=["debian", "wheel"])
def proxy(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    certificate: Certificate,
    server: ModelServer,
) -> Iterator[Running]:
    """Two bytes of the engine may be two seconds apart."""
    folder = tmp_path_factory.mktemp(request.param)
    config = make_config(folder, certificate, (server.host,), request.param)
    with Running(folder, replace(config, silence=2, limits=Limits(60000, 60000, 60000)), request.param) as running:
        yield running


@pytest.fixture
def behaviour(server: ModelServer) -> Iterator[Behaviour]:
    """That of the server, as it is without switches before and after."""
    yield server.behaviour
    plain = Behaviour(token=KEY)
    for name in ("stall", "gap", "events", "go"):
        setattr(server.behaviour, name, getattr(plain, name))
    server.behaviour.hung_up.clear()


def ask(client: openai.OpenAI) -> str | None:
    return client.chat.completions.create(model=MODEL, messages=QUESTION).choices[0].message.content


def stream(client: openai.OpenAI) -> openai.Stream[openai.types.chat.ChatCompletionChunk]:
    return client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)


@pytest.mark.parametrize("http2", [False, True])
def test_tool_calls_in_a_stream(proxy: Running, certificate: Certificate, http2: bool) -> None:
    with client_of(proxy, certificate, http2=http2) as client:
        events = client.chat.completions.create(model=MODEL, messages=QUESTION, tools=[TOOL], stream=True)
        chunks = list(events)
    pieces = [call.function for chunk in chunks for call in chunk.choices[0].delta.tool_calls or [] if call.function]
    assert pieces[0].name == "get_alerts"
    assert json.loads("".join(piece.arguments or "" for piece in pieces)) == {"severity": "high"}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_responses_and_many_embeddings(proxy: Running, certificate: Certificate) -> None:
    with client_of(proxy, certificate) as client:
        assert client.responses.create(model=MODEL, input="hello").output_text == "ready"
        found = client.embeddings.create(model=MODEL, input=["x" * 1000] * 2000, encoding_format="float")
        assert [len(data.embedding) for data in found.data] == [3] * 2000


@pytest.mark.parametrize("http2", [False, True])
def test_the_first_event_comes_while_the_engine_holds_the_rest(
    proxy: Running, certificate: Certificate, behaviour: Behaviour, http2: bool
) -> None:
    behaviour.go = threading.Event()
    with client_of(proxy, certificate, http2=http2) as client:
        events = iter(stream(client))
        assert next(events).choices[0].delta.role == "assistant"
        # And others are served meanwhile, with HTTP/2 on the same connection.
        assert ask(client) == "ready"
        behaviour.go.set()
        assert "".join(chunk.choices[0].delta.content or "" for chunk in events).startswith("one, two, three, ")


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("when", ["before the first byte", "in a stream"])
def test_the_engine_sees_at_once_who_hangs_up(
    proxy: Running, certificate: Certificate, behaviour: Behaviour, when: str, http2: bool
) -> None:
    behaviour.stall, behaviour.gap = (60, 0) if when == "before the first byte" else (0, 60)
    with client_of(proxy, certificate, http2=http2, timeout=0.5) as client:
        if when == "in a stream":
            next(iter(stream(client)))
        else:
            with pytest.raises(openai.APITimeoutError):
                ask(client)
    assert behaviour.hung_up.wait(1.5), "the engine went on for a client that had gone"


def test_silence_is_counted_between_two_bytes(proxy: Running, certificate: Certificate, behaviour: Behaviour) -> None:
    behaviour.gap, behaviour.events = 0.9, 2
    began = time.monotonic()
    with client_of(proxy, certificate) as client:
        assert len(list(stream(client))) == 4
        assert time.monotonic() - began > 3, "longer than the silence that is allowed"
        behaviour.gap = 4
        events = iter(stream(client))
        assert next(events).choices
        with pytest.raises(openai.APIConnectionError):
            next(events)


def test_an_hour_of_silence_is_allowed() -> None:
    config = container_config(NAME)
    text = render(config, OLDEST)["llm-bundle.conf"]
    assert config.silence == 3600
    for name in ("proxy_read_timeout", "proxy_send_timeout"):
        assert text.count(name) == text.count(f"{name} 3600s;") == 1


def test_the_client_waits_as_it_is_told_and_tries_again(
    tmp_path: Path, proxy: Running, certificate: Certificate, server: ModelServer
) -> None:
    config = make_config(tmp_path, certificate, (server.host,), proxy.which)
    with Running(tmp_path, replace(config, limits=Limits(1, 1, 9)), proxy.which) as running:
        with client_of(running, certificate, retries=3) as client:
            began = time.monotonic()
            assert [ask(client) for _ in range(4)] == ["ready"] * 4
            assert time.monotonic() - began >= 1.9, "two beyond the burst, a second each"
        statuses = [json.loads(line)["status"] for line in running.log("access.json.log").splitlines()]
    assert statuses.count(200) == 4
    assert 2 <= statuses.count(429) <= 4, "it did not hammer"


def test_plain_http_leads_to_https_and_a_post_stays_one(proxy: Running, certificate: Certificate) -> None:
    with client_of(proxy, certificate, base=f"http://{NAME}/v1") as client:
        assert ask(client) == "ready"
    first, second = (json.loads(line) for line in proxy.log("access.json.log").splitlines()[-2:])
    assert (first["status"], first["method"], first["tls_version"]) == (308, "POST", "")
    assert (second["status"], second["method"], second["tls_version"]) == (200, "POST", "TLSv1.3")
