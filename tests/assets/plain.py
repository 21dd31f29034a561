"""A server that answers every request alike, in clear or over TLS; also what a client would ask a proxy for."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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
        self._server = _Server(_handler(self))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Plain:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Refused handshakes are part of the tests."""


def _handler(owner: Plain) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing on stderr."""

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
