"""An engine that is as open as vLLM is: ``/invocations`` and friends answer without its key (measured on 0.32.0).

It records what it sees as it came over the wire: method, target, headers. So a leak of the proxy would be seen.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.counterparts.http_server import HttpServer, QuietHandler

KEY = "engine-key-7d1f0a52c6"
OPEN = {
    "/invocations", "/metrics", "/tokenize", "/detokenize", "/version", "/docs", "/openapi.json", "/load", "/health",
    "/scale_elastic_ep", "/ping", "/lmstudio-greeting",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came; the names of headers in lower case, ``length`` is that of the body in bytes."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    length: int

    @property
    def line(self) -> str:
        """``METHOD target``."""
        return f"{self.method} {self.target}"

    def header(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for key, value in self.headers if key == name]


@dataclass(slots=True)
class Conduct:
    """How the engine behaves: seconds between two tokens of a stream and before an answer, further headers, status."""

    gap: float = 0.0
    stall: float = 0.0
    events: int = 8
    headers: dict[str, str] = field(default_factory=dict)
    refuse: tuple[int, str] | None = None


class Engine:
    """The engine on a free port of the loopback. ``hung_up`` is set when a client leaves in a stream."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.conduct = Conduct()
        self.hung_up = threading.Event()
        self.connections = 0
        self._server = _Server(self)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Engine:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def reset(self) -> None:
        """Forget what was seen and behave again."""
        self.seen.clear()
        self.conduct = Conduct()
        self.hung_up.clear()


class _Server(HttpServer):
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        super().__init__(_Handler)


class _Handler(QuietHandler):
    server: _Server

    def setup(self) -> None:
        self.server.engine.connections += 1
        super().setup()

    def __getattr__(self, name: str) -> Any:
        # Every method that there is or may be: what the proxy lets through is to be seen, not refused unseen.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        engine = self.server.engine
        body = self._body()
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        engine.seen.append(Seen(self.command, self.path, headers, len(body)))
        path = self.path.partition("?")[0]
        time.sleep(engine.conduct.stall)
        if engine.conduct.refuse:
            return self._json(engine.conduct.refuse[0], {"error": {"message": engine.conduct.refuse[1]}})
        if path in OPEN:
            return self._json(200, {"open": path})
        if not path.startswith("/v1/"):
            return self._json(404, {"detail": "Not Found"})
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._json(401, {"error": "Unauthorized"})
        question = json.loads(body) if body else {}
        return self._stream() if question.get("stream") else self._json(200, answer(path, question))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _json(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in {**headers, **self.server.engine.conduct.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        engine = self.server.engine
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for number in range(engine.conduct.events):
                delta = {"content": f"word{number} "}
                self._event(json.dumps({**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}))
                time.sleep(engine.conduct.gap)
            self._event("[DONE]")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            engine.hung_up.set()
            self.close_connection = True

    def _event(self, text: str) -> None:
        data = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_763_000_000, "model": "tiny"}


def answer(path: str, question: dict[str, Any]) -> dict[str, Any]:
    """What the engine says to a question that is not streamed."""
    if path == "/v1/models":
        return {"object": "list", "data": [{"id": "tiny", "object": "model", "created": 1, "owned_by": "vllm"}]}
    if path == "/v1/embeddings":
        return {"object": "list", "model": "tiny", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    message: dict[str, Any] = {"role": "assistant", "content": "ready"}
    if question.get("tools"):
        function = {"name": question["tools"][0]["function"]["name"], "arguments": "{}"}
        message = {**message, "tool_calls": [{"id": "call-1", "type": "function", "function": function}]}
    choice = {"index": 0, "message": message, "text": "ready", "finish_reason": "stop"}
    return {**HEAD, "object": "chat.completion", "choices": [choice]}
