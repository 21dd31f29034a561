"""A model's server that speaks OpenAI's API as vLLM does, with the ways in which such servers are set up wrongly.

Words of errors: vLLM 0.32 (as its log and answers have them). ``test_model_server.py`` proves it with the real client.
Like vLLM it asks for its key below ``/v1`` and ``/inference`` alone, and stops what it does for a client that hangs up.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Tools = Literal["parsed", "text", "off"]
# Answered without a key (measured).
OPEN = ("/health", "/metrics", "/version", "/load", "/tokenize", "/openapi.json", "/invocations")
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


@dataclass(slots=True)
class Behaviour:
    """Switches. ``stall`` and ``gap`` are in seconds: before an answer, and between two tokens of a stream.

    ``tools``: calls are parsed; or stay in the text; or the server was started without the flags for them. ``go`` is
    waited for after the first event of a stream. ``hung_up`` is set when a client leaves before it has its answer.
    """

    token: str = "model-token-3f9c"
    model: str = "mistral-small"
    context: int = 65_536
    tools: Tools = "parsed"
    stall: float = 0.0
    gap: float = 0.0
    events: int = 24
    usage: bool = True
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    connections: int = 0
    go: threading.Event | None = None
    hung_up: threading.Event = field(default_factory=threading.Event)


class ModelServer:
    """The server: ``host`` is host:port, ``url`` its address. A context manager."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self._server = _Server(self.behaviour)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"

    def __enter__(self) -> ModelServer:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = behaviour

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as uvicorn does; else each event would wait for the last one's receipt
    server: _Server

    def setup(self) -> None:
        self.server.behaviour.connections += 1
        super().setup()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        """Nothing on stderr."""

    def do_GET(self) -> None:
        self._dispatch(b"")

    def do_POST(self) -> None:
        self._dispatch(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _dispatch(self, body: bytes) -> None:
        settings = self.server.behaviour
        settings.seen.append((f"{self.command} {self.path}", self.headers.get("Authorization", ""), body[:65536]))
        if (
            self.path.startswith(("/v1/", "/inference/"))
            and settings.token
            and self.headers.get("Authorization") != f"Bearer {settings.token}"
        ):
            return self._json(401, {"error": "Unauthorized"})
        if (self.command, self.path) == ("GET", "/v1/models"):
            return self._json(200, {"object": "list", "data": [_card(settings)]})
        if self.path == "/v1/chat/completions":
            if self.command == "GET":
                return self._json(405, {"detail": "Method Not Allowed"})
            return self._chat(json.loads(body))
        if (self.command, self.path) == ("POST", "/v1/embeddings"):
            return self._json(200, _embeddings(json.loads(body), settings))
        if (self.command, self.path) == ("POST", "/v1/responses"):
            return self._json(200, _response(settings))
        if self.path in OPEN:
            return self._chat(json.loads(body)) if self.path == "/invocations" else self._json(200, {"open": self.path})
        if self.path == f"/model/{settings.model}/invoke":
            # Amazon Bedrock's InvokeModel, as Claude answers it.
            return self._json(200, {"content": [{"type": "text", "text": "ready"}], "stop_reason": "end_turn"})
        return self._json(404, {"detail": "Not Found"})

    def _chat(self, question: dict[str, Any]) -> None:
        settings = self.server.behaviour
        refusal = _refusal(question, settings)
        if refusal:
            return self._json(refusal["code"], {"error": refusal})
        if not self._wait(settings.stall):
            return None
        if question.get("stream"):
            return self._stream(question)
        message = _message(question, settings)
        finish = "tool_calls" if message.get("tool_calls") else "stop"
        document = {
            **_head("chat.completion", settings),
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        }
        if settings.usage:
            document["usage"] = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        return self._json(200, document)

    def _stream(self, question: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        chunked = self.request_version != "HTTP/1.0"
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
        self.end_headers()
        for number, document in enumerate(_events(question, self.server.behaviour)):
            data = f"data: {document}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
            self.wfile.flush()
            if number == 0 and self.server.behaviour.go:
                self.server.behaviour.go.wait(30)
            if not self._wait(self.server.behaviour.gap):
                return
        self.wfile.write(b"0\r\n\r\n" if chunked else b"")

    def _wait(self, seconds: float) -> bool:
        """Whether the client is still there after this time; it is seen at once when it leaves."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.connection], [], [], left)[0]:
                break
            if not _peek(self.connection):
                self.server.behaviour.hung_up.set()
                self.close_connection = True
                return False
            time.sleep(min(left, 0.01))  # the next request, sent before this one is answered
        return True

    def _json(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _peek(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1, socket.MSG_PEEK)
    except ConnectionError:
        return b""


def _card(settings: Behaviour) -> dict[str, Any]:
    fixed = {"object": "model", "created": 1_763_000_000, "owned_by": "vllm", "parent": None, "permission": []}
    return {"id": settings.model, "root": settings.model, "max_model_len": settings.context, **fixed}


def _head(kind: str, settings: Behaviour) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1_763_000_000, "model": settings.model}


def _refusal(question: dict[str, Any], settings: Behaviour) -> dict[str, Any] | None:
    model = question.get("model", settings.model)
    if model != settings.model:
        text = f"The model `{model}` does not exist. Valid aliases: {settings.model}."
        return {"message": text, "type": "NotFoundError", "param": "model", "code": 404}
    if settings.tools == "off" and question.get("tools") and question.get("tool_choice", "auto") == "auto":
        text = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        return {"message": text, "type": "BadRequestError", "param": None, "code": 400}
    asked = sum(len(str(message.get("content"))) for message in question["messages"]) // 4
    wanted = question.get("max_tokens", 16)
    if asked + wanted > settings.context:
        text = (
            f"You passed {asked} input tokens and requested {wanted} output tokens. However, the model's context "
            f"length is only {settings.context} tokens, resulting in a maximum input length of "
            f"{settings.context - wanted} tokens. Please reduce the length of the input prompt. "
            f"(parameter=input_tokens, value={asked})"
        )
        return {"message": text, "type": "BadRequestError", "param": "input_tokens", "code": 400}
    return None


def _message(question: dict[str, Any], settings: Behaviour) -> dict[str, Any]:
    if not question.get("tools"):
        return {"role": "assistant", "content": "ready", "tool_calls": []}
    function = question["tools"][0]["function"]
    wanted = function.get("parameters", {}).get("required") or ["severity"]
    name, arguments = function["name"], dict.fromkeys(wanted, "high")
    if settings.tools == "text":
        call = json.dumps({"name": name, "arguments": arguments})
        return {"role": "assistant", "content": f"<tool_call>\n{call}\n</tool_call>", "tool_calls": []}
    made = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "chatcmpl-tool-1", "type": "function", "function": made}],
    }


def _embeddings(question: dict[str, Any], settings: Behaviour) -> dict[str, Any]:
    asked = question["input"] if isinstance(question["input"], list) else [question["input"]]
    data = [{"object": "embedding", "index": n, "embedding": [0.5, -0.25, len(text)]} for n, text in enumerate(asked)]
    usage = {"prompt_tokens": 9, "total_tokens": 9, "completion_tokens": 0}
    return {"id": "embd-1", "object": "list", "created": 1_763_000_000, "model": settings.model, "data": data} | {
        "usage": usage
    }


def _response(settings: Behaviour) -> dict[str, Any]:
    text = {"type": "output_text", "text": "ready", "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
    fixed = {"object": "response", "created_at": 1_763_000_000, "status": "completed", "parallel_tool_calls": True}
    return {"id": "resp_1", "model": settings.model, "output": [message], "tools": [], "tool_choice": "auto", **fixed}


def _events(question: dict[str, Any], settings: Behaviour) -> Iterator[str]:
    head = _head("chat.completion.chunk", settings)

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        return json.dumps({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield chunk({"role": "assistant", "content": ""})
    calls = _message(question, settings).get("tool_calls") or []
    for call in calls:
        # The name first, then the arguments in pieces.
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        yield chunk({"tool_calls": [{**call, "index": 0, "function": {"name": name}}]})
        for piece in (arguments[:5], arguments[5:]):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    for number in range(0 if calls else settings.events):
        yield chunk({"content": f"{WORDS[number % len(WORDS)]}, "})
    yield chunk({}, "tool_calls" if calls else "stop")
    if (question.get("stream_options") or {}).get("include_usage"):
        usage = {"prompt_tokens": 9, "completion_tokens": settings.events, "total_tokens": 9 + settings.events}
        yield json.dumps({**head, "choices": [], "usage": usage})
    yield "[DONE]"
