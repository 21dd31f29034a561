"""What a trial runs through ``_execute`` for each connector type, and how the answer is read. No I/O.

Rules: the smallest run that goes the way of the assistants. ``unified_completion`` streams between Elasticsearch and
the model itself, and fails where an answer is cut at a limit of tokens: so no limit is sent with it.
Sources: elastic/kibana, kbn-connector-schemas/{openai,inference,bedrock,gemini} (constants and schemas) and
stack_connectors/server/connector_types/{openai,inference,bedrock,gemini}.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from preconfigured.live import questions, replies
from preconfigured.live.finding import Finding

GEN_AI, INFERENCE, BEDROCK, GEMINI = ".gen-ai", ".inference", ".bedrock", ".gemini"
TYPES = (GEN_AI, INFERENCE, BEDROCK, GEMINI)
_HELD = "the sub-action stream goes through (whole; --direct shows whether events come one by one)"
_UNIFIED = ("messages", "tools", "tool_choice", "temperature")
_READY = "Answer with the one word: ready"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: the check's name, what is sent, and the reading of ``data`` and of how many seconds it took."""

    check: str
    sub_action: str
    params: dict[str, Any]
    read: Callable[[str, Any, float], Finding]


def runs(kind: str, model: str) -> tuple[Run, ...]:
    """The runs for a connector of one of ``TYPES``, in their order; ``model`` may be empty."""
    if kind == GEN_AI:
        plain = {"body": json.dumps(questions.plain(model))}
        return (
            Run("run", "run", plain, replies.answered),
            Run("test", "test", plain, replies.answered),
            Run("tool-call", "run", {"body": json.dumps(questions.tool(model))}, _tool),
            Run("stream", "stream", {"body": json.dumps(questions.counting(model)), "stream": False}, _held),
        )
    if kind == INFERENCE:
        return (
            Run("run", "unified_completion", _unified(questions.plain("")), replies.chatted),
            Run("tool-call", "unified_completion", _unified(questions.tool("")), _tool),
        )
    return (Run("run", "invokeAI", {"messages": [{"role": "user", "content": _READY}]}, replies.spoken),)


def _unified(question: dict[str, Any]) -> dict[str, Any]:
    return {"body": {key: question[key] for key in _UNIFIED if key in question}}


def _tool(check: str, data: Any, _: float) -> Finding:
    return replies.tool_called(check, data)


def _held(check: str, data: Any, seconds: float) -> Finding:
    found = replies.answered(check, data, seconds)
    return found if found.state != "ok" else Finding(check, "ok", _HELD)
