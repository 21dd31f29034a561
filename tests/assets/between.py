"""A server between us and a real node: it passes everything on, puts stand-ins for what the node lacks, and fails.

Rules: ``fault`` is asked before each request: None passes it on; a number is answered in the node's place; ``cut``
hangs up before the request reaches the node, ``cut-after`` once the node has done it; ``slow`` never answers. It hangs
up, too, where the node does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

import requests

from tests.assets import stand_ins
from tests.assets.stream_lifecycles import StreamLifecycles
from tests.counterparts.http_server import HttpServer, QuietHandler

Fault = Callable[[str, str], "int | str | None"]
PASSED = ("content-type", "accept", "authorization")
GIVEN = ("content-type", "x-elastic-product", "warning")


class Between:
    """The server before ``node``, an address; a context manager. ``seen`` are the requests, as METHOD PATH."""

    def __init__(self, node: str, base_path: str = "") -> None:
        self.node = node
        self.base_path = base_path
        self.fault: Fault = lambda method, path: None
        self.seen: list[str] = []
        self.logins: list[str] = []
        self.routing: list[str] = []
        self.lifecycles = StreamLifecycles()
        self.stopping = threading.Event()
        self._server = HttpServer(_handler(self))
        self.url = f"{self._server.url()}{base_path}"

    def __enter__(self) -> Between:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.stop()

    def once(self, fault: int | str, method: str, part: str) -> None:
        """Fail at the first request of ``method`` whose path has ``part`` in it."""
        left = [fault]

        def found(asked: str, path: str) -> int | str | None:
            return left.pop() if left and asked == method and part in path else None

        self.fault = found

    def writes(self) -> list[str]:
        """The requests that change something."""
        return [one for one in self.seen if not one.startswith(("GET", "HEAD")) and "_has_privileges" not in one]

    def put(self, path: str, data: bytes) -> bytes:
        """A body as the node can take it."""
        if not path.startswith(("/_component_template/", "/_index_template/")):
            return data
        body = stand_ins.put(json.loads(data))
        if path.startswith("/_component_template/"):
            found = stand_ins.dimensions(body.get("template", {}).get("mappings", {}).get("properties", {}))
            self.routing = found or self.routing
        return json.dumps(stand_ins.with_times(body, self.routing)).encode()


def _handler(owner: Between) -> type[BaseHTTPRequestHandler]:
    class Handler(QuietHandler):
        timeout = 20

        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(self.path.partition("?")[0].removeprefix(owner.base_path))
            owner.seen.append(f"{self.command} {path}")
            owner.logins.append(self.headers.get("Authorization") or "")
            fault = owner.fault(self.command, path)
            if isinstance(fault, int):
                error = {"type": "busy_exception", "reason": f"made up {fault}"}
                return self._send(fault, json.dumps({"error": error, "status": fault}).encode(), _JSON)
            if fault == "slow":
                owner.stopping.wait(30)
            if fault in ("cut", "slow"):
                self.close_connection = True
                return None
            try:
                given = self._given(path, data)
            except requests.ConnectionError:
                given = None
            if given is None or fault == "cut-after":
                self.close_connection = True
                return None
            return self._send(*given)

        def _given(self, path: str, data: bytes) -> tuple[int, bytes, dict[str, str]]:
            own = owner.lifecycles.answer(self.command, path, data, self._ask)
            if own is not None:
                return own[0], json.dumps(own[1]).encode(), _JSON
            body = owner.put(path, data) if data and self.command == "PUT" else data
            answer = self._asked(self.command, self.path.removeprefix(owner.base_path), body)
            headers = {name: answer.headers[name] for name in GIVEN if name in answer.headers}
            given = _given(path, answer)
            if path.startswith("/_data_stream") and self.command == "GET":
                given = json.dumps(owner.lifecycles.shown(json.loads(given), self._ask)).encode()
            return answer.status_code, given, headers

        def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
            answer = self._asked(method, path, json.dumps(body).encode() if body else b"", "application/json")
            return answer.status_code, answer.json()

        def _asked(self, method: str, path: str, body: bytes, kind: str = "") -> requests.Response:
            headers = {name: self.headers[name] for name in PASSED if name in self.headers}
            headers |= {"content-type": kind} if kind else {}
            with requests.Session() as session:
                session.trust_env = False
                return session.request(method, owner.node + path, headers=headers, data=body or None, timeout=60)

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    return Handler


_JSON = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}


def _given(path: str, answer: requests.Response) -> bytes:
    if (
        not path.startswith(("/_component_template", "/_index_template"))
        or "json" not in answer.headers["content-type"]
    ):
        return answer.content
    return json.dumps(stand_ins.taken_back(answer.json())).encode()
