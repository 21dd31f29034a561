"""What Kibana would refuse, or read otherwise than meant, is refused here, with place and hint, and without secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from preconfigured import Connector, ConnectorError, Pki
from preconfigured.connectors import render_connector
from tests.preconfigured.wishes import EVERYTHING, VLLM, stack

BY_ID = {wish.id: wish for wish in EVERYTHING}


def refuse(wish: Connector, match: str) -> ConnectorError:
    with pytest.raises(ConnectorError, match=match) as error:
        render_connector(wish, stack())
    assert error.value.hint
    assert error.value.exit_code == 3
    return error.value


@pytest.mark.parametrize(
    "bad",
    ["", "a.b", "__proto__", "constructor", "A", "a b", "-a", "a-", "123", "a" * 64, "é", "a\n", "[a]", "a:b", "a_b"],
)
def test_ids(bad: str) -> None:
    refuse(replace(VLLM, id=bad), r"connectors\[\]\.id: expected 1 to 63 of a-z")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"name": ""}, r"\.name: expected a text, found none"),
        ({"name": "  "}, r"\.name: expected a text, found none"),
        ({"name": "a\nb"}, r"\.name: expected printable characters, found U\+000A"),
        ({"name": "a\ud800"}, r"U\+D800"),
        ({"name": "costs ${HOME}"}, r"\.name: expected no '\$\{'"),
        ({"name": "n" * 257}, r"\.name: expected at most 256 characters, found 257"),
        ({"model": ""}, r"expected a value for defaultModel, found none"),
        ({"model": "m${X}"}, r"\.model: expected no '\$\{'"),
        ({"provider": "ollama"}, r"\.provider: expected one of vllm, lmstudio"),
        ({"context": 0}, r"\.context: expected a number of tokens above 0, found 0"),
        ({"temperature": 2.1}, r"\.temperature: expected a number from 0 to 2, found 2.1"),
        ({"temperature": float("nan")}, r"\.temperature: expected a number from 0 to 2"),
        ({"headers": {"x.team": "a"}}, r"\.headers: expected a header name without dots, found 'x.team'"),
        ({"headers": {"": "a"}}, r"\.headers: expected a header name"),
        ({"headers": {"__proto__": "a"}}, r"\.headers: expected a header name"),
        ({"headers": {"x-a": "b\r\nHost: c"}}, r"\.headers\.x-a: expected printable characters, found U\+000D"),
        ({"pki": Pki("client.crt", "/k")}, r"\.pki\.certificate: expected an absolute path, found 'client.crt'"),
    ],
)
def test_values(changes: dict[str, Any], match: str) -> None:
    refuse(replace(VLLM, **changes), match)


@pytest.mark.parametrize("name", ["Authorization", "proxy-authorization", "COOKIE", "X-Api-Key", "api-key"])
def test_headers_that_carry_a_secret_are_refused_unseen(name: str) -> None:
    error = refuse(replace(VLLM, headers={name: "hunter2"}), "expected no header that carries a secret")
    assert "hunter2" not in error.message + error.hint


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("", "expected an address of 1 to 2048 plain characters"),
        ("https://llm.example /v1", "plain characters"),
        ("https://llm.example/\n/v1", "plain characters"),
        ("https://${HOST}/v1", "plain characters"),
        ("https://llm.exämple/v1", "plain characters"),
        ("https://h/" + "a" * 2048, "plain characters"),
        ("llm.example/v1", "expected http:// or https://"),
        ("ftp://llm.example/v1", "expected http:// or https://"),
        ("https:///v1", "expected a host name"),
        ("https://-a/v1", "expected a host name"),
        ("https://a..b/v1", "expected a host name"),
        ("https://[::1/v1", "broken host"),
        ("https://[fe80::1%25eth0]/v1", "expected a host name"),
        ("https://h:99999/v1", "expected a port from 1 to 65535"),
        ("https://h:0x1/v1", "expected a port from 1 to 65535"),
        ("https://h/v1?key=hunter2", "expected no '\\?' and no '#'"),
        ("https://h/v1#", "expected no '\\?' and no '#'"),
        ("https://h/v1?", "expected no '\\?' and no '#'"),
        ("https://h/v1#x", "expected no '\\?' and no '#'"),
        ("https://h/v1/completions", "ends in /v1/chat/completions, found the path '/v1/completions'"),
        ("https://h/v1/models", "found the path '/v1/models'"),
        ("https://h/llm", "found the path '/llm'"),
        ("https://h/xv1/chat/completion", "found the path"),
    ],
)
def test_addresses(url: str, match: str) -> None:
    error = refuse(replace(VLLM, url=url), r"connectors\[vllm-mistral-small\]\.url: .*" + match)
    assert "hunter2" not in error.message + error.hint


@pytest.mark.parametrize("url", ["https://me:hunter2@h/v1", "https://hunter2@h/v1", "https://:hunter2@h/v1"])
def test_an_address_with_credentials_is_refused_unseen(url: str) -> None:
    error = refuse(replace(VLLM, url=url), "without user name and password")
    assert "hunter2" not in error.message + error.hint


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("https://h", "https://h/v1/chat/completions"),
        ("https://h/", "https://h/v1/chat/completions"),
        ("https://h:8443/v1", "https://h:8443/v1/chat/completions"),
        ("https://h/llm/v1/", "https://h/llm/v1/chat/completions"),
        ("https://[::1]:1234/v1", "https://[::1]:1234/v1/chat/completions"),
        ("https://h/v1/chat/completions/", "https://h/v1/chat/completions"),
    ],
)
def test_a_path_is_completed_with_a_note(url: str, complete: str) -> None:
    rendered = render_connector(replace(VLLM, url=url), stack())
    assert rendered.config["apiUrl"] == complete
    assert any(f"completed to {complete}" in note.text for note in rendered.notes)


def test_a_whole_address_stays_without_a_note() -> None:
    assert render_connector(VLLM, stack()).notes == ()


@pytest.mark.parametrize(("url", "warned"), [("http://10.0.0.5:8000/v1", 1), ("http://127.0.0.1/v1", 0)])
def test_http_beyond_the_machine_is_noted(url: str, warned: int) -> None:
    notes = render_connector(replace(VLLM, url=url), stack()).notes
    assert len([note for note in notes if "in clear" in note.text]) == warned


@pytest.mark.parametrize(
    ("wish", "changes", "match"),
    [
        ("azure", {"url": "https://x.openai.azure.com/openai"}, "openai/deployments"),
        ("azure", {"url": "http://x/openai/deployments/d/chat/completions"}, "expected https://"),
        ("azure", {"url": "https://x/chat/completions?api-key=hunter2"}, "no query but api-version"),
        ("bedrock", {"region": ""}, "expected an AWS region"),
        ("bedrock", {"region": "eu-central-1.evil.example/"}, "expected an AWS region"),
        ("gemini", {"region": "europe"}, "expected a Google Cloud region"),
        ("gemini", {"project": ""}, r"\.project: expected a text"),
        ("gemini", {"credentials": "key.json"}, r"\.credentials: expected an absolute path"),
        ("endpoint", {"inference_id": "a.b"}, "expected 1 to 63"),
        ("endpoint", {"model": ""}, r"\.model: expected a text"),
    ],
)
def test_providers(wish: str, changes: dict[str, Any], match: str) -> None:
    error = refuse(replace(BY_ID[wish], **changes), match)
    assert "hunter2" not in error.message + error.hint


@pytest.mark.parametrize(
    ("wish", "changes", "key"),
    [
        ("bedrock", {"headers": {"x-a": "b"}}, "headers"),
        ("endpoint", {"headers": {"x-a": "b"}}, "headers"),
        ("openai", {"verification_mode": "none"}, "verificationMode"),
    ],
)
def test_what_a_type_does_not_take_is_noted(wish: str, changes: dict[str, Any], key: str) -> None:
    rendered = render_connector(replace(BY_ID[wish], **changes), stack())
    assert key not in rendered.config
    assert any(note.place.endswith(f".{key}") and "has no such key" in note.text for note in rendered.notes)
