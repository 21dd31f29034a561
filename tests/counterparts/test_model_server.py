"""The stand-in of a model's server, proven by the real OpenAI client."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
import requests
from openai.types.chat import ChatCompletionFunctionToolParam

from tests.counterparts.model_server import Behaviour, ModelServer

TOOLS: list[ChatCompletionFunctionToolParam] = [
    {
        "type": "function",
        "function": {"name": "get_alert_count", "parameters": {"type": "object", "properties": {}}},
    }
]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def client(server: ModelServer, token: str = "model-token-3f9c") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=token, max_retries=0, timeout=10)


def ask(server: ModelServer, text: str = "hello", **more: object) -> openai.types.chat.ChatCompletion:
    with client(server) as one:
        found = one.chat.completions.create(
            model="mistral-small",
            messages=[{"role": "user", "content": text}],
            **more,  # type: ignore[call-overload]
        )
    assert isinstance(found, openai.types.chat.ChatCompletion)
    return found


def test_chat(server: ModelServer) -> None:
    found = ask(server)
    assert found.choices[0].message.content == "ready"
    assert found.usage is not None
    assert found.usage.total_tokens == 12


def test_models(server: ModelServer) -> None:
    with client(server) as one:
        (found,) = one.models.list().data
    assert found.id == "mistral-small"
    assert found.model_dump()["max_model_len"] == 65_536


def test_stream(server: ModelServer) -> None:
    with client(server) as one:
        stream = one.chat.completions.create(
            model="mistral-small",
            messages=[{"role": "user", "content": "count"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.startswith("one, two, three, ")
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 24


def test_tools(server: ModelServer) -> None:
    message = ask(server, tools=TOOLS).choices[0].message
    assert message.tool_calls is not None
    (call,) = message.tool_calls
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("get_alert_count", '{"severity": "high"}')


def test_without_the_parser_the_call_stays_in_the_text() -> None:
    with ModelServer(Behaviour(tools="text")) as server:
        message = ask(server, tools=TOOLS).choices[0].message
    assert not message.tool_calls
    assert message.content is not None
    assert "<tool_call>" in message.content


def test_without_the_flags_tools_are_refused() -> None:
    with (
        ModelServer(Behaviour(tools="off")) as server,
        pytest.raises(openai.BadRequestError, match="--tool-call-parser"),
    ):
        ask(server, tools=TOOLS)


def test_wrong_token(server: ModelServer) -> None:
    with client(server, "wrong") as one, pytest.raises(openai.AuthenticationError, match="401"):
        one.models.list()


def test_another_model(server: ModelServer) -> None:
    with client(server) as one, pytest.raises(openai.NotFoundError, match="The model `nope` does not exist"):
        one.chat.completions.create(model="nope", messages=[{"role": "user", "content": "x"}])


def test_too_long(server: ModelServer) -> None:
    with pytest.raises(openai.BadRequestError, match="context length is only 65536 tokens"):
        ask(server, "x" * 300_000)


def test_streamed_tools(server: ModelServer) -> None:
    with client(server) as one:
        stream = one.chat.completions.create(
            model="mistral-small",
            messages=[{"role": "user", "content": "count"}],
            tools=TOOLS,
            stream=True,
        )
        chunks = list(stream)
    pieces = [call.function for chunk in chunks for call in chunk.choices[0].delta.tool_calls or [] if call.function]
    assert pieces[0].name == "get_alert_count"
    assert "".join(piece.arguments or "" for piece in pieces) == '{"severity": "high"}'
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_embeddings_and_responses(server: ModelServer) -> None:
    with client(server) as one:
        found = one.embeddings.create(model="mistral-small", input=["a", "bc"], encoding_format="float")
        assert [data.embedding for data in found.data] == [[0.5, -0.25, 1], [0.5, -0.25, 2]]
        assert one.responses.create(model="mistral-small", input="hello").output_text == "ready"


def test_its_key_does_not_guard_everything(server: ModelServer) -> None:
    question = {"model": "mistral-small", "messages": [{"role": "user", "content": "hello"}]}
    assert requests.post(f"{server.url}/invocations", json=question, timeout=10).json()["choices"]
    assert requests.get(f"{server.url}/metrics", timeout=10).status_code == 200
    assert requests.post(f"{server.url}/v1/embeddings", json={"input": "x"}, timeout=10).status_code == 401
    assert requests.post(f"{server.url}/inference/v1/generate", json=question, timeout=10).status_code == 401


def test_a_client_that_leaves_is_seen() -> None:
    with ModelServer(Behaviour(stall=20)) as server:
        impatient = openai.OpenAI(base_url=f"{server.url}/v1", api_key="model-token-3f9c", max_retries=0, timeout=0.3)
        with impatient, pytest.raises(openai.APITimeoutError):
            impatient.chat.completions.create(model="mistral-small", messages=[{"role": "user", "content": "x"}])
        assert server.behaviour.hung_up.wait(2)
