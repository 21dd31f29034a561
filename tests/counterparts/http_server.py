"""What the HTTP servers of tests have in common: a free port of the loopback, TLS if wanted, and no word on stderr."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class HttpServer(ThreadingHTTPServer):
    """Listens from the start; ``start`` answers in a thread, ``stop`` ends it."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.scheme = "https" if tls else "http"
        if tls:
            # The handshake is for the thread of the connection: one that never comes must not keep others out.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def start(self) -> None:
        """Answer."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Answer no more, and give the port back."""
        self.shutdown()
        self.server_close()

    def url(self, host: str = "127.0.0.1") -> str:
        """Its address by a name of this host."""
        return f"{self.scheme}://{host}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up, and handshakes that are refused, are part of the tests."""


class QuietHandler(BaseHTTPRequestHandler):
    """A handler that keeps connections and prints nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        """Nothing on stderr."""
