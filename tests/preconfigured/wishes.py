"""Connectors that the tests ask for: one of each provider, with everything that it takes."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML

from preconfigured import Connector, Pki, StackVersion

URL = "https://llm.example.internal/v1/chat/completions"

VLLM = Connector(
    id="vllm-mistral-small",
    name="vLLM - Mistral Small 3.2",
    provider="vllm",
    url=URL,
    model="mistralai/Mistral-Small-3.2-24B-Instruct-2506",
    context=65_536,
    native_function_calling=True,
)

EVERYTHING = (
    Connector(
        id="vllm",
        name="vLLM",
        provider="vllm",
        url=URL,
        model="m",
        context=65_536,
        native_function_calling=True,
        temperature=0.2,
        headers={"X-Team": "search"},
        pki=Pki("/etc/pki/client.crt", "/etc/pki/client.key", "/etc/pki/ca.crt", token=True),
        verification_mode="certificate",
    ),
    Connector(id="lms", name="LM Studio", provider="lmstudio", url="http://127.0.0.1:1234/v1", model="local-model"),
    Connector(id="other", name="Other", provider="openai-compatible", url=URL, model="m", context=70_000),
    Connector(id="openai", name="OpenAI", provider="openai", model="gpt", organization="org", project="prj"),
    Connector(
        id="azure",
        name="Azure",
        provider="azure-openai",
        url="https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
        temperature=1,
    ),
    Connector(id="bedrock", name="Bedrock", provider="bedrock", region="eu-central-1", model="anthropic.claude"),
    Connector(id="gemini", name="Gemini", provider="gemini", region="europe-west3", project="p", context=1_000_000),
    Connector(id="endpoint", name="Endpoint", provider="inference", url=URL, model="m", context=65_536),
)


def stack(text: str = "9.3.0") -> StackVersion:
    """The version with that name."""
    return StackVersion.parse(text)


def read(text: str) -> dict[str, Any]:
    """What YAML readers that refuse duplicate keys make of a snippet: those of 1.1 and of 1.2 must agree."""
    readers = [YAML(typ="safe", pure=True), YAML(typ="safe", pure=True)]
    readers[0].version = "1.1"
    old, new = (reader.load(io.StringIO(text)) for reader in readers)
    assert isinstance(new, dict)
    assert old == new
    return new
