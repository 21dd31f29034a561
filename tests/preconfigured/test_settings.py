"""The settings around the connectors, and the page for the people of the assistants."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from preconfigured import AirGap, Connector, ConnectorError, Settings, endpoint, next_steps, snippet
from preconfigured.prompts import TOOL_CALLING
from tests.preconfigured.wishes import EVERYTHING, URL, VLLM, read, stack

FLAG = "feature_flags.overrides"
DOCS = "xpack.productDocBase.artifactRepositoryUrl"


def written(wish: Settings, *connectors: Connector, version: str = "9.3.0") -> dict[str, Any]:
    return read(snippet(connectors or (VLLM,), wish, stack=stack(version)).text)


def test_without_wishes_only_the_limits_and_the_flag_stand_there() -> None:
    found = written(Settings())
    assert list(found) == [
        "xpack.actions.preconfigured",
        "xpack.actions.responseTimeout",
        "xpack.actions.maxResponseContentLength",
        FLAG,
    ]
    assert found["xpack.actions.responseTimeout"] == "600s"
    assert found["xpack.actions.maxResponseContentLength"] == "10mb"
    assert found[FLAG] == {"securitySolution.inferenceChatModelDisabled": True}


def test_a_private_ca_is_trusted_once_for_each_server_of_ones_own() -> None:
    twin = replace(VLLM, id="twin", name="Twin")
    other = replace(VLLM, id="other", url="https://[::1]:8443/v1")
    plain = replace(VLLM, id="plain", url="http://127.0.0.1:1234/v1")
    found = written(Settings(private_ca="/etc/ca.crt"), VLLM, twin, other, plain, EVERYTHING[3])
    ssl = {"verificationMode": "full", "certificateAuthoritiesFiles": ["/etc/ca.crt"]}
    assert found["xpack.actions.customHostSettings"] == [
        {"url": "https://llm.example.internal:443", "ssl": ssl},
        {"url": "https://[::1]:8443", "ssl": ssl},
    ]


def test_a_private_ca_without_a_server_is_noted() -> None:
    made = snippet([EVERYTHING[3]], Settings(private_ca="/etc/ca.crt"), stack=stack())
    assert "xpack.actions.customHostSettings" not in read(made.text)
    assert any("no connector calls a server of yours over https" in note.text for note in made.notes)


def test_allowed_hosts_admit_the_connectors_and_have_no_ports() -> None:
    found = written(Settings(allowed_hosts=("smtp.example",)), VLLM, replace(VLLM, id="b", url="https://h:8443/v1"))
    assert found["xpack.actions.allowedHosts"] == ["smtp.example", "llm.example.internal", "h"]
    assert written(Settings(allowed_hosts=("*",)))["xpack.actions.allowedHosts"] == ["*"]


@pytest.mark.parametrize(("version", "there"), [("8.18.9", 0), ("8.19.0", 1), ("9.0.9", 0), ("9.1.0", 1)])
def test_the_flag_comes_with_what_it_switches_off(version: str, there: int) -> None:
    assert (FLAG in written(Settings(), version=version)) == bool(there)
    assert FLAG not in written(Settings(inference_chat_model_disabled=False), version=version)
    lms = replace(VLLM, provider="lmstudio")
    assert FLAG not in written(Settings(), lms, version=version)
    assert (FLAG in written(Settings(inference_chat_model_disabled=True), lms, version=version)) == bool(there)


@pytest.mark.parametrize(("version", "there"), [("9.1.9", 0), ("9.2.0", 1)])
def test_the_default_connector_comes_with_its_setting(version: str, there: int) -> None:
    wish = Settings(default_connector=VLLM.id, default_only=True)
    made = snippet([VLLM], wish, stack=stack(version))
    overrides = {"genAiSettings:defaultAIConnector": VLLM.id, "genAiSettings:defaultAIConnectorOnly": True}
    assert read(made.text).get("uiSettings.overrides") == (overrides if there else None)
    assert any("defaultAIConnector" in note.place for note in made.notes) != bool(there)


@pytest.mark.parametrize(
    ("url", "version", "there"),
    [
        ("file:///opt/docs", "9.0.9", 0),
        ("file:///opt/docs", "9.1.0", 1),
        ("https://docs.example.internal", "8.16.9", 0),
        ("https://docs.example.internal", "8.17.0", 1),
    ],
)
def test_the_air_gap(url: str, version: str, there: int) -> None:
    wish = Settings(air_gap=AirGap(registry_url="https://epr.example.internal:8080", product_docs_url=url))
    found = written(wish, version=version)
    assert found["xpack.fleet.isAirGapped"] is True
    assert found["xpack.fleet.registryUrl"] == "https://epr.example.internal:8080"
    assert found.get(DOCS) == (url if there else None)
    assert "xpack.fleet.registryUrl" not in written(Settings(air_gap=AirGap()))


@pytest.mark.parametrize(
    ("wish", "match"),
    [
        (Settings(default_connector="nobody"), "default_connector: expected the id of a connector, found 'nobody'"),
        (Settings(default_only=True), "default_only: expected default_connector with it"),
        (Settings(private_ca="ca.crt"), "private_ca: expected an absolute path"),
        (Settings(private_ca="/a\nb"), "private_ca: expected printable characters"),
        (Settings(allowed_hosts=("h:443",)), "allowed_hosts: expected a host name without a port, found 'h:443'"),
        (Settings(allowed_hosts=("https://h",)), "allowed_hosts: expected a host name"),
        (Settings(response_timeout="10 minutes"), "response_timeout: expected a duration such as 600s"),
        (Settings(max_response_content_length="10MB"), "max_response_content_length: expected a size such as 10mb"),
        (Settings(air_gap=AirGap(registry_url="https://a:hunter2@h")), "without user name and password"),
        (Settings(air_gap=AirGap(product_docs_url="file:docs")), "expected http:// or https://"),
    ],
)
def test_a_setting_that_kibana_would_refuse(wish: Settings, match: str) -> None:
    with pytest.raises(ConnectorError, match=match) as error:
        snippet([VLLM], wish, stack=stack())
    assert "hunter2" not in error.value.message
    assert error.value.hint


def test_next_steps_say_what_applies() -> None:
    small = replace(VLLM, id="small", context=32_000, native_function_calling=False)
    text = next_steps([VLLM, small], Settings(default_connector=VLLM.id), stack=stack("9.2.0"))
    for line in TOOL_CALLING.splitlines():
        assert line in text
    assert "**Streaming** off" in text
    assert "at least 64,000 tokens" in text
    assert "`vllm-mistral-small`: 65,536 tokens, enough" in text
    assert "`small`: 32,000 tokens, **too few**" in text
    assert "PUT _inference/chat_completion/vllm-mistral-small\n" in text
    assert "is set in kibana.yml" in text
    older = next_steps([small], Settings(), stack=stack("8.17.0"))
    assert "_inference" not in older
    assert "System prompts" not in older
    assert "has no setting for it" in older


def test_the_inference_endpoint_is_made_of_the_connector() -> None:
    made = endpoint(VLLM)
    assert made
    assert made.path == "_inference/chat_completion/vllm-mistral-small"
    assert json.loads(made.body) == {
        "service": "openai",
        "service_settings": {"api_key": "<token>", "model_id": VLLM.model, "url": URL},
    }
    assert [endpoint(wish) is None for wish in EVERYTHING] == [False, False, False, True, True, True, True, False]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "Set `xpack.productDocBase.artifactRepositoryUrl`"),
        ("file:///opt/docs", "to `file:///opt/docs`, which is set in kibana.yml, on every Kibana host"),
        ("https://docs.example.internal", "must give an S3-style listing"),
    ],
)
def test_next_steps_without_the_internet(url: str | None, words: str) -> None:
    settings = Settings(air_gap=AirGap("https://epr.example.internal", url))
    text = next_steps([VLLM], settings, stack=stack("9.2.0"))
    models = "file://${path.home}/config/models/"
    for part in (words, "kb-product-doc-security-9.2.zip", models, "epr.example.internal"):
        assert part in text
    assert "kb-product-doc" not in next_steps([VLLM], settings, stack=stack("8.16.0"))
    assert "Without the internet" not in next_steps([VLLM], Settings(), stack=stack("9.2.0"))
