"""The requests that a trial sends: as small as they can be, and of the form that Kibana's assistants send.

Source of the form: OpenAI's chat completions API, as elastic/kibana's connector passes it on.
"""

from __future__ import annotations

import json
from typing import Any

TOOL = "get_alert_count"
# Twice nginx's default of 1 MB: what a conversation with a long context weighs.
LARGE_BYTES = 2 * 1024 * 1024
STREAM_TOKENS = 64

_COUNT = "Count from 1 to 40 in words, separated by commas. Write nothing else."


def plain(model: str) -> dict[str, Any]:
    """A question with a very short answer."""
    return _question(model, "Answer with the one word: ready", max_tokens=16)


def tool(model: str) -> dict[str, Any]:
    """A question that only the tool ``TOOL`` can answer."""
    schema = {
        "type": "object",
        "properties": {"severity": {"type": "string", "enum": ["low", "high"]}},
        "required": ["severity"],
    }
    function = {"name": TOOL, "description": "How many open alerts of a severity there are now.", "parameters": schema}
    question = _question(model, "How many open alerts of high severity are there now? Use the tool.", max_tokens=256)
    return {**question, "tools": [{"type": "function", "function": function}], "tool_choice": "auto"}


def counting(model: str) -> dict[str, Any]:
    """A question with an answer of some tens of tokens."""
    return _question(model, _COUNT, max_tokens=STREAM_TOKENS)


def packed(question: dict[str, Any], *, at_least: int = 0) -> bytes:
    """A question as JSON, filled up with spaces, which cost the model nothing, to a number of bytes."""
    return json.dumps(question).encode().ljust(at_least)


def _question(model: str, text: str, *, max_tokens: int) -> dict[str, Any]:
    question = {"messages": [{"role": "user", "content": text}], "max_tokens": max_tokens, "temperature": 0}
    return {"model": model, **question} if model else question
