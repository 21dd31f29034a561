"""Connector types, one file each. ``PROVIDERS`` names them; adding one is adding a file and a line here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from preconfigured.connectors import bedrock, gemini, gen_ai, inference
from preconfigured.connectors.interface import Connector, Note, Pki, Rendered, Secret
from preconfigured.errors import ConnectorError
from preconfigured.values import check_id, check_text
from preconfigured.version import StackVersion

Renderer: TypeAlias = Callable[[Connector, StackVersion], Rendered]

PROVIDERS: dict[str, Renderer] = {
    "vllm": gen_ai.render_other,
    "lmstudio": gen_ai.render_other,
    "openai-compatible": gen_ai.render_other,
    "openai": gen_ai.render_openai,
    "azure-openai": gen_ai.render_azure,
    "bedrock": bedrock.render,
    "gemini": gemini.render,
    "inference": inference.render,
}
LOCAL_PROVIDERS = frozenset({"vllm", "lmstudio", "openai-compatible"})

__all__ = ["LOCAL_PROVIDERS", "PROVIDERS", "Connector", "Note", "Pki", "Rendered", "Secret", "render_connector"]


def render_connector(connector: Connector, stack: StackVersion) -> Rendered:
    """Render one connector for one stack version.

    Raises:
        ConnectorError: the connector cannot be written so that this Kibana reads it as meant.
    """
    check_id(connector.id)
    place = f"connectors[{connector.id}]"
    check_text(connector.name, f"{place}.name", limit=256)
    if connector.provider not in PROVIDERS:
        raise ConnectorError(
            f"{place}.provider: expected one of {', '.join(PROVIDERS)}, found {connector.provider[:40]!r}",
            hint="Use openai-compatible for any other server that speaks OpenAI's API.",
        )
    _check_numbers(connector, place)
    return PROVIDERS[connector.provider](connector, stack)


def _check_numbers(connector: Connector, place: str) -> None:
    if connector.context is not None and not 0 < connector.context <= 1_000_000_000:
        raise ConnectorError(
            f"{place}.context: expected a number of tokens above 0, found {connector.context}",
            hint="Give what the server was started with, for example --max-model-len.",
        )
    temperature = connector.temperature
    if temperature is not None and not (math.isfinite(temperature) and 0 <= temperature <= 2):
        raise ConnectorError(
            f"{place}.temperature: expected a number from 0 to 2, found {temperature}",
            hint="0.2 keeps answers steady; leave it out for the assistants' own choice.",
        )
