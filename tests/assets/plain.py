"""A server that answers every request alike, in clear or over TLS; also what a client would ask a proxy for."""

from __future__ import annotations

import ssl
from http.server import BaseHTTPRequestHandler

from tests.counterparts.http_server import HttpServer, QuietHandler


class Plain:
    """The server; ``seen`` are the request lines, ``logins`` the Authorization headers. A context manager."""

    def __init__(
        self,
        body: str,
        tls: ssl.SSLContext | None = None,
        *,
        kind: str = "application/json",
        product: str = "Elasticsearch",
        status: int = 200,
        location: str = "",
    ) -> None:
        self.body = body.encode()
        self.status = status
        self.headers = {"Content-Type": kind, "X-elastic-product": product, "Location": location}
        self.seen: list[str] = []
        self.logins: list[str] = []
        self._server = HttpServer(_handler(self), tls)
        self.url = self._server.url()

    def __enter__(self) -> Plain:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def _handler(owner: Plain) -> type[BaseHTTPRequestHandler]:
    class Handler(QuietHandler):
        timeout = 10

        def do_GET(self) -> None:
            owner.seen.append(f"GET {self.path}")
            owner.logins.append(self.headers.get("Authorization") or "")
            self.send_response(owner.status)
            for name, value in owner.headers.items():
                if value:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(owner.body)))
            self.end_headers()
            self.wfile.write(owner.body)

    return Handler
