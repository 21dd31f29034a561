"""The trial through Kibana of connectors that are not ``.gen-ai``, and of servers without tool calls of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from preconfigured.live.finding import Trial
from preconfigured.live.trial import try_connector
from tests.counterparts.kibana import Forced, KibanaServer
from tests.counterparts.model_server import Behaviour, ModelServer
from tests.preconfigured.live.stage import TOKEN, client, finding, stage, wrong

YML = """\
xpack.actions.preconfigured:
  endpoint:
    name: Endpoint
    actionTypeId: .inference
    exposeConfig: true
    config: {{provider: openai, taskType: {task}, inferenceId: endpoint, providerConfig: {{}}}}
    secrets: {{providerSecrets: {{}}}}
  cloud:
    name: Cloud
    actionTypeId: .bedrock
    config: {{apiUrl: '{url}', defaultModel: {model}}}
    secrets: {{accessKey: a, secret: b}}
  gem:
    name: Gem
    actionTypeId: .gemini
    config: {{apiUrl: '{url}', gcpRegion: europe-west3, gcpProjectID: p}}
    secrets: {{credentialsJson: '{{}}'}}
"""


@contextmanager
def running(
    behaviour: Behaviour | None = None,
    *,
    task: str = "chat_completion",
    token: str = TOKEN,
    model: str = "mistral-small",
) -> Iterator[tuple[KibanaServer, ModelServer]]:
    with ModelServer(behaviour) as server, KibanaServer(YML.format(url=server.url, model=model, task=task)) as kibana:
        kibana.settings.endpoints["endpoint"] = (f"{server.url}/v1/chat/completions", token)
        yield kibana, server


def attempt(kibana: KibanaServer, connector: str) -> Trial:
    return try_connector(client(kibana), connector, timeout=10)


def test_an_inference_endpoint_that_works() -> None:
    with running() as (kibana, server):
        trial = attempt(kibana, "endpoint")
    assert trial.ok
    assert [one.check for one in trial.findings] == ["connector", "run", "tool-call"]
    assert all(b"max_tokens" not in body for _, _, body in server.behaviour.seen)


@pytest.mark.parametrize(
    ("behaviour", "token", "expected", "words"),
    [
        (Behaviour(), "another", ("run", "block", "token"), "by way of Elasticsearch 401"),
        (Behaviour(context=8), TOKEN, ("run", "block", "context"), "context length is only 8"),
        (Behaviour(tools="text"), TOKEN, ("tool-call", "block", "tool-parser"), "<tool_call>"),
        (Behaviour(tools="off"), TOKEN, ("tool-call", "block", "tool-parser"), "--enable-auto-tool-choice"),
    ],
)
def test_an_inference_endpoint_before_a_broken_server(
    behaviour: Behaviour, token: str, expected: tuple[str, str, str], words: str
) -> None:
    with running(behaviour, token=token) as (kibana, _):
        trial = attempt(kibana, "endpoint")
    assert wrong(trial) == [expected]
    assert words in finding(trial, expected[0]).found


def test_an_endpoint_that_was_never_made_and_one_of_another_task() -> None:
    with running(task="completion") as (kibana, _):
        kibana.settings.endpoints.clear()
        trial = attempt(kibana, "endpoint")
    assert wrong(trial) == [("config", "warn", "inference-endpoint"), ("run", "block", "inference-endpoint")]
    assert "no such endpoint" in finding(trial, "run").found
    assert "inference-endpoints.console" in finding(trial, "run").fix


def test_bedrock_answers_or_says_why_not() -> None:
    with running() as (kibana, _):
        assert attempt(kibana, "cloud").ok
    with running(model="nosuch") as (kibana, _):
        assert wrong(attempt(kibana, "cloud")) == [("run", "block", "path")]


@pytest.mark.parametrize(("text", "ok"), [("ready", True), ("  ", False)])
def test_gemini_answers_with_a_text(text: str, ok: bool) -> None:
    with running() as (kibana, _):
        kibana.forced["/_execute"] = Forced(200, b'{"status": "ok", "data": {"message": "%s"}}' % text.encode())
        trial = attempt(kibana, "gem")
    assert wrong(trial) == ([] if ok else [("run", "block", "model-server")])


@pytest.mark.parametrize("data", [b"7", b"[]", b"{}", b'{"message": 7}', b'{"choices": [{"message": []}]}', b"null"])
@pytest.mark.parametrize("connector", ["endpoint", "cloud", "gem"])
def test_answers_that_make_no_sense(connector: str, data: bytes) -> None:
    with running() as (kibana, _):
        kibana.forced["/_execute"] = Forced(200, b'{"status": "ok", "data": %s}' % data)
        assert [one[:2] for one in wrong(attempt(kibana, connector))] == [("run", "block")]


@pytest.mark.parametrize(
    ("tools", "words"), [("parsed", "would use that"), ("text", "none of its own"), ("off", "none")]
)
def test_a_server_that_is_said_to_have_no_tool_calls(tmp_path: Path, tools: str, words: str) -> None:
    behaviour = Behaviour()
    behaviour.tools = tools  # type: ignore[assignment]
    with stage(tmp_path, behaviour) as on:
        on.kibana.settings.connectors[0].config["enableNativeFunctionCalling"] = False
        trial = try_connector(client(on.kibana), "vllm", timeout=10)
    assert trial.ok
    assert words in finding(trial, "tool-call").found
