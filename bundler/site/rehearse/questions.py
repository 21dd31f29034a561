"""What a client would ask, each as a check: it returns what was found, and raises EngineError for less than expected.

Rules: the prompts are these and no others; of an answer only its size and shape are told. Temperature 0, so that the
same bundle says the same again as far as its engine lets it.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any, Final

from bundler.errors import EngineError
from bundler.serving.plan import ServePlan
from bundler.site.chat import Line, ask, exchange, said
from bundler.site.stream import Streamed, stream

CHAT, MODELS, EMBEDDINGS = "/v1/chat/completions", "/v1/models", "/v1/embeddings"
REFUSED_PATHS: Final = (("GET", "/metrics"), ("POST", "/invocations"))

_PATIENCE: Final = 600.0
_SHORT: Final = 30.0
_TOOL: Final = "get_weather"
_POOLING: Final = {"--task": ("embed", "embedding"), "--runner": ("pooling",), "--convert": ("embed",)}


def chat(line: Line, plan: ServePlan) -> str:
    """A chat completion."""
    began = time.monotonic()
    document = ask(line, CHAT, _question(plan, "Say in one sentence what a firewall does.", 128), seconds=_PATIENCE)
    spent = time.monotonic() - began
    message = _message(document)
    texts = [message.get(key) for key in ("content", "reasoning_content", "reasoning")]
    size = sum(len(text) for text in texts if isinstance(text, str))
    if not size:
        raise EngineError("expected a text, found an empty answer")
    return f"{size} characters{_tokens(document)} after {spent:.2f} s"


def streamed(line: Line, plan: ServePlan) -> str:
    """A stream whose text arrives bit by bit."""
    body = {**_question(plan, "Count from 1 to 40.", 192), "stream": True, "stream_options": {"include_usage": True}}
    return flows(stream(line, CHAT, body, seconds=_PATIENCE))


def flows(found: Streamed) -> str:
    """How a stream came. Raises: EngineError when it was held back and came all at once."""
    rate = f", {found.rate:.1f} tokens/s" if found.rate else ""
    text = f"first token after {found.first:.2f} s, the end after {found.end:.2f} s, {found.pieces} pieces{rate}"
    if found.pieces < 2:
        raise EngineError(f"expected many pieces, found one: {text}")
    if found.end >= 1 and found.last - found.first < found.end / 20:
        raise EngineError(f"the stream was held back and came all at once: {text}")
    return text


def tool_call(line: Line, plan: ServePlan) -> str:
    """A tool call, parsed by the server."""
    prompt = "What is the weather in Berlin now? Use the tool."
    place = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    function = {"name": _TOOL, "description": "The weather in a city, now.", "parameters": place}
    body = {
        **_question(plan, prompt, 1024),
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "auto",
    }
    message = _message(ask(line, CHAT, body, seconds=_PATIENCE))
    calls = message.get("tool_calls")
    if not isinstance(calls, list) or not calls:
        content = message.get("content")
        if isinstance(content, str) and _TOOL in content:
            raise EngineError("the call stands in the text: the server's tool-call parser does not fit this model")
        raise EngineError("the model answered without a call")
    return _call(calls[0])


def _call(call: Any) -> str:
    try:
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        known = json.loads(arguments)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise EngineError("expected a call with arguments in JSON, found something else") from error
    if name != _TOOL or not isinstance(known, dict) or not isinstance(known.get("city"), str):
        raise EngineError(f"expected a call of {_TOOL} with a city, found another name or other arguments")
    return f"a call of {_TOOL} with valid arguments"


def embeddings(line: Line, plan: ServePlan) -> str:
    """An embedding."""
    document = ask(line, EMBEDDINGS, {"model": plan.served_name, "input": "a firewall"}, seconds=_PATIENCE)
    try:
        vector = document["data"][0]["embedding"]
        size = len(vector) if all(isinstance(number, float | int) for number in vector) else 0
    except (KeyError, IndexError, TypeError) as error:
        raise EngineError("expected data with an embedding, found something else") from error
    if not size:
        raise EngineError("expected an embedding of numbers, found something else")
    return f"{size} dimensions"


def models(line: Line, plan: ServePlan) -> str:
    """The list of models has the name that clients send."""
    status, data = exchange(line, "GET", MODELS, seconds=_SHORT)
    if status != 200:
        raise EngineError(f"expected 200, found {status}: {said(data)}")
    try:
        names = [str(one["id"]) for one in json.loads(data)["data"]]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise EngineError("expected a list of models, found something else") from error
    if plan.served_name not in names:
        raise EngineError(f"expected {plan.served_name} among the models, found {', '.join(names)[:300] or 'none'}")
    return plan.served_name


def no_token(line: Line, plan: ServePlan) -> str:
    """Without a token nothing is answered."""
    status, data = exchange(replace(line, token=None), "GET", MODELS, seconds=_SHORT)
    return _required(401, status, data, MODELS)


def other_paths(line: Line, plan: ServePlan) -> str:
    """What is not on the proxy's list is not there, with a token neither."""
    for method, path in REFUSED_PATHS:
        status, data = exchange(line, method, path, {} if method == "POST" else None, seconds=_SHORT)
        _required(404, status, data, f"{method} {path}")
    return ", ".join(f"{method} {path}: 404" for method, path in REFUSED_PATHS)


def makes_embeddings(plan: ServePlan) -> bool:
    """Whether the arguments say that the model embeds and does not chat."""
    pairs = {(option, value) for at, arg in enumerate(plan.args) for option, value in [_pair(arg, plan.args, at)]}
    return any((option, value) in pairs for option, values in _POOLING.items() for value in values)


def _pair(arg: str, args: tuple[str, ...], at: int) -> tuple[str, str]:
    option, equals, value = arg.partition("=")
    return option, value if equals else "".join(args[at + 1 : at + 2])


def _required(expected: int, status: int, data: bytes, what: str) -> str:
    if status != expected:
        raise EngineError(f"{what}: expected {expected}, found {status}: {said(data)}")
    return f"{what}: {status}"


def _question(plan: ServePlan, prompt: str, most: int) -> dict[str, Any]:
    return {
        "model": plan.served_name,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": min(most, plan.context // 2) if plan.context else most,
        "temperature": 0,
    }


def _message(document: Any) -> dict[str, Any]:
    try:
        message = document["choices"][0]["message"]
    except (KeyError, IndexError, TypeError) as error:
        raise EngineError("expected choices with a message, found something else") from error
    if not isinstance(message, dict):
        raise EngineError("expected choices with a message, found something else")
    return message


def _tokens(document: Any) -> str:
    usage = document.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return f", {count} tokens," if type(count) is int else ""
