"""A server that passes requests on and keeps the answers, and later gives them once more, with one of them changed.

Rules: an answer is known by the request's method and target, and by how often that was asked before; the last one is
repeated. What was never asked is 404. ``odd`` may give the bytes that go over the line instead, piece by piece.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

import requests

from tests.counterparts.http_server import HttpServer, QuietHandler

PASSED = ("Content-Type", "Accept", "Authorization", "kbn-xsrf")
GIVEN = ("content-type", "x-elastic-product")
NOTHING = b'{"statusCode": 404, "error": "Not Found", "message": "Not Found", "status": 404}'


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer, and the ``method`` and ``target`` that it is one to; ``nth`` counts from 0."""

    method: str
    target: str
    nth: int
    status: int
    headers: Mapping[str, str]
    body: bytes

    def sent(self, body: bytes | None = None, *, status: int | None = None, **more: str) -> bytes:
        """The answer as it goes over the line, perhaps with another body, status or headers."""
        data = self.body if body is None else body
        headers = {**self.headers, "content-length": str(len(data))}
        headers |= {name.replace("_", "-").lower(): value for name, value in more.items()}
        lines = [f"HTTP/1.1 {status or self.status} Some", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + data


Odd = Callable[[Heard, str], "bytes | Iterable[bytes] | None"]
"""An answer and the login of the request, to what is sent instead; None for the answer as it was."""


class Tape:
    """The server; ``node`` is what stands behind it while it records. ``seen`` are the requests, as METHOD TARGET."""

    def __init__(self) -> None:
        self.node = ""
        self.heard: dict[tuple[str, str, int], Heard] = {}
        self.odd: Odd = lambda heard, login: None
        self.seen: list[str] = []
        self.stopping = threading.Event()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._server = HttpServer(_handler(self))
        self.url = self._server.url()

    def __enter__(self) -> Tape:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.stop()

    def begin(self, heard: dict[tuple[str, str, int], Heard], node: str = "", odd: Odd | None = None) -> None:
        """From the start: record from ``node``, or else replay what was ``heard``."""
        self.heard, self.node, self.odd = heard, node, odd or (lambda heard, login: None)
        self.seen.clear()
        self._asked.clear()

    def writes(self) -> list[str]:
        """The requests that change something."""
        asking = ("_has_privileges", "/_bulk_get", "/_simulate", "/_search", "/dryrun")
        return [one for one in self.seen if not one.startswith("GET ") and not any(part in one for part in asking)]

    def answer(self, method: str, target: str, headers: Mapping[str, str], data: bytes) -> Heard:
        """What is told: by the node, or from memory."""
        nth = self._asked[(method, target)]
        self._asked[(method, target)] += 1
        if self.node:
            found = _asked(method, self.node + target, headers, data)
            given = {name: found.headers[name] for name in GIVEN if name in found.headers}
            self.heard[(method, target, nth)] = Heard(method, target, nth, found.status_code, given, found.content)
        while nth and (method, target, nth) not in self.heard:
            nth -= 1
        kind = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}
        return self.heard.get((method, target, nth)) or Heard(method, target, 0, 404, kind, NOTHING)


def _asked(method: str, url: str, headers: Mapping[str, str], data: bytes) -> requests.Response:
    given = {name.lower(): value for name, value in headers.items()}
    passed = {name: given[name.lower()] for name in PASSED if name.lower() in given}
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, headers=passed, data=data or None, timeout=60)


def _handler(owner: Tape) -> type[BaseHTTPRequestHandler]:
    class Handler(QuietHandler):
        timeout = 20

        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            owner.seen.append(f"{self.command} {self.path}")
            heard = owner.answer(self.command, self.path, dict(self.headers), data)
            odd = owner.odd(heard, self.headers.get("Authorization") or "")
            self.close_connection = odd is not None
            for piece in [heard.sent()] if odd is None else [odd] if isinstance(odd, bytes) else odd:
                if owner.stopping.is_set():
                    return
                self.wfile.write(piece)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

    return Handler
