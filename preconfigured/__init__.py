"""Preconfigured Kibana connectors to large language models: written for a stack version, without secrets.

>>> from preconfigured import Connector, Settings, StackVersion, snippet
>>> made = snippet(
...     [Connector("vllm", "vLLM", "vllm", url="https://llm.example.internal/v1", model="mistral-small")],
...     Settings(default_connector="vllm"),
...     stack=StackVersion.parse("9.2.0"),
... )
>>> made.holds_secrets
False

This package knows nothing of ``bundler`` and is of use without it. Everything that it raises is a
``PreconfiguredError`` with a message, a hint and an exit code.
"""

from preconfigured.connectors import PROVIDERS, Connector, Note, Pki, Rendered, Secret
from preconfigured.errors import ConnectorError, PreconfiguredError, UsageError
from preconfigured.inference_endpoint import Endpoint, endpoint
from preconfigured.keystore import INSTALLS, keystore_script
from preconfigured.next_steps import next_steps
from preconfigured.render import Snippet, render_all, snippet
from preconfigured.settings import AirGap, Settings
from preconfigured.version import Since, StackVersion

__all__ = [
    "INSTALLS",
    "PROVIDERS",
    "AirGap",
    "Connector",
    "ConnectorError",
    "Endpoint",
    "Note",
    "Pki",
    "PreconfiguredError",
    "Rendered",
    "Secret",
    "Settings",
    "Since",
    "Snippet",
    "StackVersion",
    "UsageError",
    "endpoint",
    "keystore_script",
    "next_steps",
    "render_all",
    "snippet",
]
