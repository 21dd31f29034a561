"""A real HTTP server that misbehaves on demand, and remembers what it was asked.

Rules: one route a path; each request takes the next of the route's ``first`` faults, then ``always`` holds.
What is not routed goes to ``fallback``, else 404. Listens on a free port of the loopback.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Seen:
    """A request: ``path`` without its query, headers whatever their case."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        """All that was sent, to search for what should not be there."""
        return f"{self.method} {self.path}?{self.query}\n{self.headers.as_string()}\n{self.body!r}"


@dataclass(frozen=True, slots=True)
class Fault:
    """How an answer goes wrong. Numbers count bytes of the body; ``drip`` and ``stall`` end in seconds."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ranges: bool = True
    content_range: str | None = None
    length: int | None = None
    cut: int | None = None
    stall: tuple[int, float] | None = None
    drip: tuple[int, float] | None = None
    flip: int | None = None
    extra: bytes = b""
    chunked: bool = False
    silent: bool = False


@dataclass(slots=True)
class Route:
    """What a path serves. ``redirect`` makes it a 302 (or ``status``) to that address."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    redirect: str | None = None
    first: list[Fault] = field(default_factory=list)
    always: Fault = Fault()

    def next_fault(self) -> Fault:
        return self.first.pop(0) if self.first else self.always


Answering: TypeAlias = "Route | Callable[[Seen], Route]"


class FaultyServer:
    """Usable as a context manager; ``requests`` grows while it runs."""

    def __init__(self, host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> None:
        self.routes: dict[str, Answering] = {}
        self.requests: list[Seen] = []
        self.connections = 0
        self.fallback: Callable[[Seen], Route] | None = None
        self.stopping = threading.Event()
        self._server = ThreadingHTTPServer((host, 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.host = f"{host}:{self._server.server_port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def answer(self, seen: Seen) -> Route:
        """The route for a request."""
        found = self.routes.get(seen.path) or self.fallback
        if found is None:
            return Route(b"nothing here", 404)
        return found if isinstance(found, Route) else found(seen)

    def paths(self, method: str = "GET") -> list[str]:
        """The paths asked for with ``method``, in order."""
        return [seen.path for seen in self.requests if seen.method == method]

    def stop(self) -> None:
        """Stop listening; answers that stall are cut."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> FaultyServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _handler(owner: FaultyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (ConnectionError, TimeoutError, ssl.SSLError):
                self.close_connection = True

        def setup(self) -> None:
            owner.connections += 1
            super().setup()

        def finish(self) -> None:
            try:
                super().finish()
            except OSError:
                pass

        def _serve(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = Seen(self.command, path, query, self.headers, body)
            owner.requests.append(seen)
            route = owner.answer(seen)
            _Answer(self, route, route.next_fault(), owner.stopping).send()

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _serve

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    return Handler


@dataclass(slots=True)
class _Answer:
    handler: BaseHTTPRequestHandler
    route: Route
    fault: Fault
    stopping: threading.Event

    def send(self) -> None:
        if self.fault.silent:
            self.handler.close_connection = True
            return
        status, headers, body = self._content()
        self.handler.send_response(status)
        for name, value in {**headers, **self.route.headers, **self.fault.headers}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        if self.handler.command != "HEAD":
            self._write(body)

    def _content(self) -> tuple[int, dict[str, str], bytes]:
        fault, route, body = self.fault, self.route, self.route.body
        status = fault.status or route.status
        headers: dict[str, str] = {}
        if route.redirect and not fault.status:
            status, headers["Location"] = (302 if status == 200 else status), route.redirect
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.handler.headers.get("Range") or "")
        if asked and fault.ranges and status == 200:
            start, end = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
            status = 206 if start < len(body) else 416
            headers["Content-Range"] = fault.content_range or f"bytes {start}-{end}/{len(body)}"
            body = body[start : end + 1]
        if fault.flip is not None and body:
            at = fault.flip % len(body)
            body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        body += fault.extra
        if fault.chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(body) if fault.length is None else fault.length)
        return status, headers, body

    def _write(self, body: bytes) -> None:
        fault = self.fault
        if fault.cut is not None or (fault.length is not None and not fault.chunked):
            self.handler.close_connection = True
        body = body[: fault.cut] if fault.cut is not None else body
        step = fault.drip[0] if fault.drip else max(len(body), 1)
        if fault.stall:
            self._piece(body[: fault.stall[0]])
            self.stopping.wait(fault.stall[1])
            body = body[fault.stall[0] :]
        for at in range(0, len(body), step):
            self._piece(body[at : at + step])
            if fault.drip and self.stopping.wait(fault.drip[1]):
                return
        if fault.chunked and fault.cut is None:
            self.handler.wfile.write(b"0\r\n\r\n")

    def _piece(self, data: bytes) -> None:
        if data and self.fault.chunked:
            data = b"%x\r\n%s\r\n" % (len(data), data)
        self.handler.wfile.write(data)
        self.handler.wfile.flush()
