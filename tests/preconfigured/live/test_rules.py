"""The rules without I/O: what statuses, words, answers and streams mean, whatever a server sends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preconfigured.live import replies, streaming
from preconfigured.live.diagnose import of_status, words_of
from preconfigured.live.finding import Trial, said
from preconfigured.live.questions import LARGE_BYTES, TOOL, packed, plain
from preconfigured.live.service_message import of_message


@pytest.mark.parametrize(
    ("status", "words", "place"),
    [
        (401, "Unauthorized", "token"),
        (403, "", "token"),
        (404, "", "path"),
        (404, "The model `nope` does not exist. Valid aliases: tiny-instruct.", "model-name"),
        (404, "model 'llama3' not found", "model-name"),
        (400, 'Model "x" is not loaded', "model-name"),
        (405, "Method Not Allowed", "path"),
        (413, "", "body-size"),
        (429, "", "rate-limit"),
        (502, "", "proxy"),
        (503, "", "proxy"),
        (504, "", "proxy-timeout"),
        (301, "", "path"),
        (500, "Missing name for tool use", "tool-parser"),
        (500, "EngineDeadError", "model-server"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', "tool-parser"),
        (400, "This model's maximum context length is 2048 tokens. However, you requested 2100 tokens", "context"),
        (400, "You passed 1015 input tokens … the model's context length is only 1024 tokens", "context"),
        (400, "Trying to keep the first 9 tokens when context the overflows", "model-server"),
        (418, "", "model-server"),
        (999, "", "model-server"),
    ],
)
def test_every_status_has_its_place(status: int, words: str, place: str) -> None:
    found = of_status("chat", status, words)
    assert (found.check, found.state, found.place) == ("chat", "block", place)
    assert found.fix
    assert str(status) in found.found
    assert words in found.found


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Status code: 401. Message: Unauthorized API Error - Unauthorized", "token"),
        ("Status code: 404. Message: API Error: Not Found", "path"),
        ("Status code: 404. Message: API Error: Not Found - The model `x` does not exist.", "model-name"),
        ("Status code: 413. Message: API Error: Request Entity Too Large", "body-size"),
        ("Status code: undefined. Message: Unexpected API Error: ENOTFOUND - getaddrinfo ENOTFOUND x", "dns"),
        ("Status code: undefined. Message: Unexpected API Error: ECONNREFUSED - connect", "network"),
        ("Status code: undefined. Message: Unexpected API Error: ECONNRESET - socket hang up", "network"),
        (
            "Status code: undefined. Message: Unexpected API Error: ECONNABORTED - timeout of 60000ms exceeded",
            "proxy-timeout",
        ),
        ("… UNABLE_TO_VERIFY_LEAF_SIGNATURE - unable to verify the first certificate", "tls"),
        ("… DEPTH_ZERO_SELF_SIGNED_CERT - self-signed certificate", "tls"),
        ("… ERR_TLS_CERT_ALTNAME_INVALID - Hostname/IP does not match certificate's altnames", "tls"),
        ("… CERT_HAS_EXPIRED - certificate has expired", "tls"),
        ("… EPROTO - write EPROTO wrong version number", "tls"),
        ("… ERR_BAD_RESPONSE - maxContentLength size of 1048576 exceeded", "kibana.yml"),
        ("error validating connector type config: Unrecognized key(s) in object: 'modelName'", "kibana.yml"),
        ('error validating connector type config: Field "defaultModel": Required', "kibana.yml"),
        (
            'Error configuring: target url "x" is not added to the Kibana config xpack.actions.allowedHosts',
            "allowed-hosts",
        ),
        ("Response validation failed (Error: [usage]: Required)", "model-server"),
        ("Response validation failed (Error: [choices]: Required)", "path"),
        ("Action type .gen-ai is disabled because your basic license does not support it.", "license"),
        ("something new", "model-server"),
        ("", "model-server"),
    ],
)
def test_every_word_of_kibana_has_its_place(text: str, place: str) -> None:
    found = of_message("run", text)
    assert (found.state, found.place) == ("block", place)
    assert found.fix


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "a", "code": 404}}', "a"),
        (b'{"error": "Unauthorized"}', "Unauthorized"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"message": "m"}', "m"),
        (b'{"detail": [{"loc": ["body"]}]}', ""),
        (b"<html>413</html>", ""),
        (b"[]", ""),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_words_of_servers(body: bytes, words: str) -> None:
    assert words_of(body) == words


def message(**parts: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", **parts}}]}


def call(name: Any, arguments: Any) -> dict[str, Any]:
    return message(tool_calls=[{"type": "function", "function": {"name": name, "arguments": arguments}}])


@pytest.mark.parametrize(
    ("document", "state", "place"),
    [
        (call(TOOL, '{"severity": "high"}'), "ok", ""),
        (call(TOOL, "{}"), "ok", ""),
        (call("another", "{}"), "block", "tool-parser"),
        (call(TOOL, "{broken"), "block", "tool-parser"),
        (call(TOOL, {"severity": "high"}), "block", "tool-parser"),
        (call(TOOL, "[" * 100_000), "block", "tool-parser"),
        (call(TOOL, "\ud800"), "block", "tool-parser"),
        (message(tool_calls=["x"]), "block", "tool-parser"),
        (message(content='<tool_call>{"name": "x"}</tool_call>'), "block", "tool-parser"),
        (message(content=f'[TOOL_CALLS][{{"name": "{TOOL}"}}]'), "block", "tool-parser"),
        (message(content=f'<|python_tag|>{TOOL}(severity="high")'), "block", "tool-parser"),
        (message(content=f'```json\n{{"name": "{TOOL}", "parameters": {{}}}}\n```'), "block", "tool-parser"),
        (message(content=f"{TOOL}(severity='high')"), "block", "tool-parser"),
        (message(content=f"I would call {TOOL} now."), "warn", "model-server"),
        (message(content="There are 7.", tool_calls=[]), "warn", "model-server"),
        (message(content=None), "warn", "model-server"),
        ({"choices": []}, "block", "path"),
        (None, "block", "path"),
        ([], "block", "path"),
    ],
)
def test_tool_calls(document: Any, state: str, place: str) -> None:
    found = replies.tool_called("tool-call", document)
    assert (found.state, found.place) == (state, place)


@pytest.mark.parametrize(
    ("models", "state", "words"),
    [
        ({"data": [{"id": "m"}]}, "ok", "has m"),
        ({"data": []}, "block", "has no model, not m"),
        ({"data": [{"id": f"model-{n}"} for n in range(9)]}, "block", "model-4 and 4 more, not m"),
        ({"data": ["x", {"id": 7}]}, "block", "no model"),
        ({"data": None}, "warn", "no list"),
        ([], "warn", "no list"),
    ],
)
def test_lists_of_models(models: Any, state: str, words: str) -> None:
    first, *_ = replies.model_listed(models, "m")
    assert first.state == state
    assert words in first.found


@pytest.mark.parametrize(
    ("length", "state", "words"),
    [(64_000, "ok", "64,000"), (63_999, "warn", "at least 64,000"), (None, "ok", "not say"), (True, "ok", "not say")],
)
def test_the_64000_token_rule(length: Any, state: str, words: str) -> None:
    _, context = replies.model_listed({"data": [{"id": "m", "max_model_len": length}]}, "m")
    assert (context.check, context.state) == ("context", state)
    assert words in context.found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "data",
                    "id",
                    "delta",
                    "error",
                    "usage",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@given(JSON)
def test_whatever_a_server_sends_a_finding_comes_out(document: Any) -> None:
    body = json.dumps(document).encode()
    assert replies.tool_called("x", document).check == "x"
    assert replies.answered("x", document, 0.1).check == "x"
    assert replies.model_listed(document, "m")
    assert isinstance(words_of(body), str)
    assert streaming.judge(streaming.read([(0.1, b"data: " + body + b"\n\ndata: [DONE]\n\n")]))


def test_what_servers_say_is_one_short_line_without_secrets() -> None:
    assert said("a\x1b[31m\n b\u2028c token-1234", ["token-1234", ""]) == "a [31m b c …"
    assert len(said("x" * 1000)) == 300


def test_a_large_question_is_the_same_question() -> None:
    large = packed(plain("m"), at_least=LARGE_BYTES)
    assert len(large) == LARGE_BYTES
    assert json.loads(large) == plain("m")


def test_an_empty_trial_is_fine() -> None:
    assert Trial(()).ok
