"""The real OpenAI client through TLS: what it gets, when it gets it, and what the engine sees of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2 as httpx
import openai
import pytest
from openai.types.chat import ChatCompletionChunk, ChatCompletionFunctionToolParam, ChatCompletionMessageParam

from bundler.serving.nginx.config import Limits
from bundler.serving.nginx.tokens import ProxyToken
from tests.counterparts.certificates import Certificate
from tests.counterparts.engine import KEY, Engine
from tests.counterparts.port import free_port
from tests.serving.nginx.running import NAME, OLD, TOKEN, Running, client_context, make_config

QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "marked-prompt"}]


class ToLoopback(httpx.HTTPTransport):
    """Sends to the loopback what is for the proxy's name; no resolver knows that name."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": NAME}
        request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)


Client = Callable[..., openai.OpenAI]


@pytest.fixture
def client(proxy: Running, certificate: Certificate) -> Iterator[Client]:
    """Makes clients of the proxy."""
    opened: list[httpx.Client] = []

    def make(running: Running = proxy, *, token: str = TOKEN, http2: bool = False) -> openai.OpenAI:
        transport = ToLoopback(verify=client_context(certificate), http2=http2)
        opened.append(httpx.Client(transport=transport, timeout=20))
        return openai.OpenAI(base_url=running.url, api_key=token, http_client=opened[-1], max_retries=0)

    yield make
    for one in opened:
        one.close()


def ask(client: openai.OpenAI, content: str = "marked-prompt") -> str | None:
    answer = client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": content}])
    return answer.choices[0].message.content


def stream(client: openai.OpenAI) -> openai.Stream[ChatCompletionChunk]:
    return client.chat.completions.create(model="tiny", messages=QUESTION, stream=True)


@pytest.mark.parametrize("http2", [False, True])
def test_completion_tools_embeddings_models(client: Client, engine: Engine, proxy: Running, http2: bool) -> None:
    one = client(http2=http2)
    assert ask(one) == "ready"
    tool: ChatCompletionFunctionToolParam = {"type": "function", "function": {"name": "get_alerts", "parameters": {}}}
    called = one.chat.completions.create(model="tiny", messages=QUESTION, tools=[tool])
    assert "get_alerts" in str(called.choices[0].message.tool_calls)
    assert one.embeddings.create(model="tiny", input="x").data[0].embedding == [0.5]
    assert [model.id for model in one.models.list()] == ["tiny"]
    assert f'"protocol":"HTTP/{"2.0" if http2 else "1.1"}"' in proxy.log("access.json.log").splitlines()[-1]
    assert {seen.header("authorization")[0] for seen in engine.seen} == {f"Bearer {KEY}"}
    assert not any(TOKEN in value for seen in engine.seen for _, value in seen.headers)


@pytest.mark.parametrize("http2", [False, True])
def test_events_arrive_one_by_one(client: Client, engine: Engine, http2: bool) -> None:
    engine.conduct.gap = 0.1
    times = [time.monotonic() for _ in stream(client(http2=http2))]
    gaps = [after - before for before, after in pairwise(times)]
    assert len(times) == 8
    assert sum(gap > 0.03 for gap in gaps) >= 5, gaps


def test_a_body_of_20_mb(client: Client, engine: Engine) -> None:
    assert ask(client(), "x" * 20_000_000) == "ready"
    assert engine.seen[0].length > 20_000_000


def test_a_client_that_hangs_up_is_seen(client: Client, engine: Engine, proxy: Running) -> None:
    engine.conduct.gap, engine.conduct.events = 0.05, 400
    with stream(client()) as events:
        next(iter(events))
    assert engine.hung_up.wait(5)
    assert '"complete":false' in proxy.log("access.json.log").splitlines()[-1]


def test_refusals_are_what_the_client_understands(client: Client, engine: Engine) -> None:
    with pytest.raises(openai.AuthenticationError, match="No valid token: send the header Authorization"):
        ask(client(token="wrong"))
    with pytest.raises(openai.NotFoundError, match="There is nothing at this path"):
        client().moderations.create(input="x")
    with pytest.raises(openai.APIStatusError, match="larger than 32 MiB") as caught:
        ask(client(), "x" * (32 << 20))
    assert caught.value.status_code == 413
    assert engine.seen == []


def test_what_the_engine_refuses_goes_through(client: Client, engine: Engine) -> None:
    engine.conduct.refuse = (400, "You passed 99 input tokens")
    with pytest.raises(openai.BadRequestError, match="You passed 99 input tokens"):
        ask(client())
    engine.conduct.refuse = (500, "the engine's own words")
    with pytest.raises(openai.InternalServerError, match="the engine's own words"):
        ask(client())


def test_connections_to_the_engine_are_kept(client: Client, engine: Engine) -> None:
    one = client()
    ask(one)
    before = engine.connections
    for _ in range(5):
        ask(one)
    assert engine.connections == before


@pytest.fixture
def own(tmp_path: Path, certificate: Certificate, proxy: Running) -> Callable[..., Running]:
    """A proxy of a test's own, of the same version."""

    def make(*upstreams: str, tokens: tuple[ProxyToken, ...] | None = None, **changes: Any) -> Running:
        config = replace(make_config(tmp_path, certificate, upstreams, proxy.which), **changes)
        return Running(tmp_path, config, proxy.which, *([tokens] if tokens else []))

    return make


def test_an_engine_that_is_not_there_or_silent(client: Client, engine: Engine, own: Callable[..., Running]) -> None:
    with own(f"127.0.0.1:{free_port()}") as running, pytest.raises(openai.InternalServerError) as caught:
        ask(client(running))
    assert (caught.value.status_code, caught.value.code) == (502, "engine_unreachable")
    engine.conduct.stall = 3
    with own(engine.address, silence=1) as running, pytest.raises(openai.InternalServerError) as caught:
        ask(client(running))
    assert (caught.value.status_code, caught.value.code) == (504, "engine_timeout")


def test_a_dead_replica_is_passed_over(client: Client, engine: Engine, own: Callable[..., Running]) -> None:
    with own(f"127.0.0.1:{free_port()}", engine.address) as running:
        one = client(running)
        assert [ask(one) for _ in range(6)] == ["ready"] * 6


def test_limits_are_per_token(client: Client, engine: Engine, own: Callable[..., Running]) -> None:
    with own(engine.address, limits=Limits(1, 2, 9)) as running:
        one, other = client(running), client(running, token=OLD)
        assert [ask(one) for _ in range(3)] == ["ready"] * 3
        with pytest.raises(openai.RateLimitError, match="Too many requests with this token") as caught:
            for _ in range(50):
                ask(one)
        assert caught.value.response.headers["retry-after"] == "1"
        assert ask(other) == "ready", "another token has its own"
    engine.conduct.gap, engine.conduct.events = 0.2, 50
    with own(engine.address, limits=Limits(99, 99, 1)) as running:
        one = client(running)
        with stream(one) as events:
            next(iter(events))
            with pytest.raises(openai.RateLimitError):
                ask(one)


def test_a_reload_drops_no_stream(client: Client, engine: Engine, own: Callable[..., Running]) -> None:
    engine.conduct.gap, engine.conduct.events = 0.1, 15
    new = ProxyToken("0000000a", "kibana", "new_" + "z" * 39)
    with own(engine.address) as running:
        events = iter(stream(client(running)))
        next(events)
        running.set_tokens([new])
        running.reload()
        with pytest.raises(openai.AuthenticationError):
            ask(client(running))
        assert ask(client(running, token=new.secret)) == "ready"
        assert len(list(events)) == 14


def test_a_token_ends_without_a_reload(client: Client, engine: Engine, own: Callable[..., Running]) -> None:
    ending = ProxyToken("0000000b", "kibana.old", OLD, int(time.time()) + 4)
    with own(engine.address, tokens=(ending,)) as running:
        one = client(running, token=OLD)
        assert ask(one) == "ready"
        time.sleep(max(0.0, ending.expires - time.time() + 0.1) if ending.expires else 0)
        with pytest.raises(openai.AuthenticationError):
            ask(one)
        assert '"token":"kibana.old"' in running.log("access.json.log").splitlines()[0]
