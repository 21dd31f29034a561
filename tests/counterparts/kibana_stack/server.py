"""The server: base path, logins, ``kbn-xsrf``, content types and sizes as Kibana has them, then the routes.

In Kibana's order: the route is looked up, the login checked, the body read, then ``kbn-xsrf``, then privileges. A space
that does not exist is not refused for an API (inferred: only pages look it up), so whoever asks must look first.
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.counterparts.certificates import Certificate
from tests.counterparts.http_server import HttpServer, QuietHandler
from tests.counterparts.kibana_stack.agent_policies import ROUTES as AGENT_POLICIES
from tests.counterparts.kibana_stack.basics import ROUTES as BASICS
from tests.counterparts.kibana_stack.enrolment import ROUTES as ENROLMENT
from tests.counterparts.kibana_stack.objects_api import ROUTES as OBJECTS
from tests.counterparts.kibana_stack.package_policies import ROUTES as PACKAGE_POLICIES
from tests.counterparts.kibana_stack.packages import ROUTES as PACKAGES
from tests.counterparts.kibana_stack.route import Answer, Refusal, Request, Route
from tests.counterparts.kibana_stack.rules import ROUTES as RULES
from tests.counterparts.kibana_stack.state import Stack

PARTS = (BASICS, OBJECTS, RULES, PACKAGES, AGENT_POLICIES, PACKAGE_POLICIES, ENROLMENT)
ROUTES = tuple(route for part in PARTS for route in part.all)
Fault = Callable[[str, str], "Answer | None"]
"""Method and path to an answer that comes instead."""


@dataclass(slots=True)
class Cut:
    """The connection breaks at a write, the ``at``-th from now, before it or after it was ``done``."""

    at: int
    done: bool

    def now(self, method: str) -> bool:
        """Count a request; whether it is the one."""
        self.at -= method != "GET"
        return method != "GET" and self.at == 0


class KibanaStack:
    """The server; ``stack`` is what it knows, ``seen`` all requests; ``fault`` may answer first, ``cut`` breaks."""

    def __init__(self, stack: Stack | None = None, *, tls: Certificate | None = None, base_path: str = "") -> None:
        self.stack = stack or Stack()
        self.base_path = base_path
        self.seen: list[str] = []
        self.crashes: list[str] = []
        self.fault: Fault | None = None
        self.cut: Cut | None = None
        self.delay = 0.0
        self._server = _Server(self, tls)
        self.url = f"{self._server.url('localhost')}{base_path}"

    def __enter__(self) -> KibanaStack:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        assert not self.crashes, self.crashes[0]

    def writes(self) -> list[str]:
        """What was asked that is no reading."""
        return [line for line in self.seen if not line.startswith("GET ") and not line.endswith("/_bulk_get")]


class _Server(HttpServer):
    def __init__(self, kibana: KibanaStack, tls: Certificate | None) -> None:
        super().__init__(_Handler, tls.context() if tls else None)
        self.kibana = kibana

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Cut connections are part of the tests; anything else is a fault of this stand-in."""
        if not isinstance(sys.exc_info()[1], (OSError, ssl.SSLError)):
            self.kibana.crashes.append(traceback.format_exc())


class _Handler(QuietHandler):
    timeout = 10
    server: _Server

    def do_GET(self) -> None:
        self._do()

    do_POST = do_PUT = do_DELETE = do_GET

    def _do(self) -> None:
        kibana = self.server.kibana
        kibana.seen.append(f"{self.command} {self.path}")
        time.sleep(kibana.delay)
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if kibana.fault and (forced := kibana.fault(self.command, self.path)):
            return self._send(forced)
        cut = kibana.cut if kibana.cut and kibana.cut.now(self.command) else None
        if cut and not cut.done:
            raise ConnectionResetError
        try:
            with kibana.stack.lock:
                answer = self._answer(data)
        except Refusal as refusal:
            phrase = self.responses[refusal.status][0]
            body = {"statusCode": refusal.status, "error": phrase, "message": str(refusal), **refusal.more}
            answer = Answer(body, refusal.status, headers=refusal.headers)
        if cut:
            raise ConnectionResetError
        return self._send(answer)

    def _answer(self, data: bytes) -> Answer:
        kibana = self.server.kibana
        parts = urlsplit(self.path)
        if not parts.path.startswith(f"{kibana.base_path}/"):
            raise Refusal(404, "Not Found")
        inside = parts.path[len(kibana.base_path) :]
        found = re.fullmatch(r"/s/([^/]+)(/.*)", inside)
        space, path = (found[1], found[2]) if found else ("default", inside)
        self._login()
        route, names = self._route(path)
        body = self._body(route, data)
        self._xsrf()
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(kibana.stack, space, names, query, dict(self.headers), data, body)
        if not request.may(*(f"api:{right}" for right in route.right.split(",") if right)):
            action = f"API [{self.command} {path}] is unauthorized for user, this action is granted by the Kibana"
            raise Refusal(403, f"{action} privileges [{route.right}]")
        return route.handler(request)

    def _login(self) -> None:
        if not self.server.kibana.stack.knows(self.headers.get("Authorization")):
            raise Refusal(401, "[security_exception]: unable to authenticate with provided credentials")

    def _route(self, path: str) -> tuple[Route, tuple[str, ...]]:
        for route in ROUTES:
            match = route.path.fullmatch(path) if route.method == self.command else None
            if match:
                return route, tuple(unquote(name) for name in match.groups())
        raise Refusal(404, "Not Found")

    def _body(self, route: Route, data: bytes) -> Any:
        if self.command in ("GET", "DELETE") or not data:
            return None
        if len(data) > route.most:
            raise Refusal(413, f"Payload content length greater than maximum allowed: {route.most}")
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in route.accepts:
            raise Refusal(415, "Unsupported Media Type")
        if kind != "application/json":
            return None
        try:
            return json.loads(data)
        except ValueError as error:
            raise Refusal(400, "Invalid request payload JSON format") from error

    def _xsrf(self) -> None:
        version = self.server.kibana.stack.version
        given = self.headers.get("kbn-version")
        if given not in (None, version):
            text = f'Browser client is out of date, please refresh the page ("kbn-version" header was "{given}" but '
            raise Refusal(400, f'{text}should be "{version}")')
        if self.command != "GET" and given is None and not self.headers.get("kbn-xsrf"):
            raise Refusal(400, "Request must contain a kbn-xsrf header.")

    def _send(self, answer: Answer) -> None:
        data = b"" if answer.status == 204 else answer.bytes()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("kbn-name", "kibana")
        if answer.status != 204:
            self.send_header("Content-Length", str(len(data)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
