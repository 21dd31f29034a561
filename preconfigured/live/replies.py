"""What a model's answers say: was it an answer, did it call the tool, which models are there. No I/O.

Rules: an answer is outside input; whatever it is, a finding comes out.
"""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import Any

from preconfigured.connectors.interface import MIN_CONTEXT
from preconfigured.live.diagnose import PARSER_FIX
from preconfigured.live.finding import Finding, said
from preconfigured.live.questions import TOOL

# How models of the usual families write a call when nobody parses it for them.
_WRITTEN = re.compile(
    r"<tool_call>|\[TOOL_CALLS\]|<\|python_tag\|>|<function=|<\|tool_call|\"(?:name|function)\"\s*:\s*\""
    + TOOL
    + rf"|{TOOL}\s*[({{]",
    re.I,
)
_NO_ENDPOINT = "Make an endpoint of the task chat_completion (inference-endpoints.console), and name it in inferenceId."
_NO_CHAT = "This is no OpenAI-compatible server: mend the address, or what the proxy passes it on to."


def load(body: bytes) -> Any:
    """The JSON of a body, or None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def message_of(document: Any) -> dict[str, Any] | None:
    """The first choice's message of a chat completion, or None where it is no chat completion."""
    choices = document.get("choices") if isinstance(document, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    return message if isinstance(message, dict) else None


def answered(check: str, document: Any, seconds: float) -> Finding:
    """Whether a document is a chat completion as Kibana wants it."""
    if message_of(document) is None:
        return Finding(check, "block", "the answer is no chat completion", "path", _NO_CHAT)
    usage = document.get("usage")
    if not isinstance(usage, dict) or not isinstance(usage.get("total_tokens"), int):
        fix = "Kibana refuses an answer without usage (Response validation failed): use a server that counts tokens."
        return Finding(check, "block", "the answer does not say how many tokens it took", "model-server", fix)
    return Finding(check, "ok", f"answered in {seconds:.1f} s")


def chatted(check: str, document: Any, seconds: float) -> Finding:
    """Whether a document is a chat completion; who counts tokens is Elasticsearch."""
    if message_of(document) is None:
        return Finding(check, "block", "the answer is no chat completion", "inference-endpoint", _NO_ENDPOINT)
    return Finding(check, "ok", f"answered in {seconds:.1f} s, streamed by way of Elasticsearch")


def spoken(check: str, document: Any, seconds: float) -> Finding:
    """Whether a document is an answer of ``invokeAI``."""
    message = document.get("message") if isinstance(document, dict) else None
    if not isinstance(message, str) or not message.strip():
        fix = "Look at the model and the region of the connector: that model gave no text."
        return Finding(check, "block", "the answer holds no text", "model-server", fix)
    return Finding(check, "ok", f"answered in {seconds:.1f} s")


def no_native_calls(found: Finding) -> Finding:
    """What a tool call's finding means where kibana.yml says that the server has none."""
    if found.state == "ok":
        told = "the server calls tools itself; with enableNativeFunctionCalling: true Kibana would use that"
        return Finding(found.check, "ok", told)
    if found.place == "tool-parser" or found.state == "warn":
        told = "none of its own, as enableNativeFunctionCalling: false says; Kibana describes tools in the prompt"
        return Finding(found.check, "ok", told)
    return found


def tool_called(check: str, document: Any) -> Finding:
    """Whether the model called the tool, or wrote the call into its answer."""
    message = message_of(document)
    if message is None:
        return Finding(check, "block", "the answer is no chat completion", "path", _NO_CHAT)
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        return _call(check, calls[0])
    content = message.get("content")
    text = content if isinstance(content, str) else ""
    if _WRITTEN.search(text):
        found = f"the model wrote its tool call into the answer, nobody parsed it: {said(text)[:120]}"
        return Finding(check, "block", found, "tool-parser", PARSER_FIX)
    found = f"the model answered in words and called no tool: {said(text)[:120] or 'nothing'}"
    fix = "Some models need the system prompt (llm-bundle connectors prompts); else choose one that is made for tools."
    return Finding(check, "warn", found, "model-server", fix)


def _call(check: str, call: Any) -> Finding:
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if name != TOOL:
        found = f"the call names {said(str(name))[:60]!r}, which is no tool that was offered"
        return Finding(check, "block", found, "tool-parser", PARSER_FIX)
    if not isinstance(arguments, str) or not isinstance(load(arguments.encode("utf-8", "replace")), dict):
        return Finding(check, "block", "the call's arguments are no JSON object", "tool-parser", PARSER_FIX)
    return Finding(check, "ok", f"called {TOOL} with arguments that are JSON")


def model_listed(models: Any, model: str) -> list[Finding]:
    """What /v1/models says of a model: whether it is there, and how long its context is."""
    rows = models.get("data") if isinstance(models, dict) else None
    if not isinstance(rows, list):
        fix = "The proxy answers /v1/models with something else; let it pass that path on."
        return [Finding("models", "warn", "/v1/models gives no list of models", "path", fix)]
    known = {row["id"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)}
    if not model:
        return [Finding("models", "ok", f"the server has {_names(list(known))}")]
    if model not in known:
        near = get_close_matches(model, known, 1, 0.4)
        fix = f"Set defaultModel to {said((near or list(known) or ['one that it has'])[0])[:120]}."
        found = f"the server has {_names(list(known))}, not {said(model)[:120]}"
        return [Finding("models", "block", found, "model-name", fix)]
    return [Finding("models", "ok", f"the server has {said(model)[:120]}"), _context(known[model])]


def _names(names: list[str]) -> str:
    shown = ", ".join(said(name)[:120] for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{shown}{more}" if names else "no model"


def _context(row: dict[str, Any]) -> Finding:
    length = row.get("max_model_len")
    if not isinstance(length, int) or isinstance(length, bool):
        return Finding("context", "ok", "the server does not say how long its context is (vLLM does)")
    if length < MIN_CONTEXT:
        fix = f"Start vLLM with --max-model-len {MIN_CONTEXT} or more, if the model and the GPU can."
        found = f"{length:,} tokens; the Observability AI Assistant needs at least {MIN_CONTEXT:,}"
        return Finding("context", "warn", found, "context", fix)
    return Finding("context", "ok", f"{length:,} tokens")
