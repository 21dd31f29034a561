"""The chat completion that decides whether a release serves: only the right certificate and a real answer will do."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundler.errors import EngineError
from bundler.site.chat import Line, completion
from tests.counterparts.certificates import Authority, Certificate

GOOD = json.dumps({"choices": [{"message": {"content": "ready"}}]}).encode()


@contextmanager
def server(status: int, body: bytes, made: Certificate | None = None) -> Iterator[tuple[int, list[str]]]:
    """Answers every POST so; its port, and the Authorization headers that it was sent."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            """Clients that do not like the certificate leave."""

    with Server(("127.0.0.1", 0), Handler) as running:
        if made:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(made.certificate, made.key)
            running.socket = context.wrap_socket(running.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=running.serve_forever, daemon=True).start()
        try:
            yield running.server_address[1], seen
        finally:
            running.shutdown()


def test_through_tls_with_a_token_past_every_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    made = Authority(tmp_path / "ca").server("llm.test")
    with server(200, GOOD, made) as (port, seen):
        line = Line("127.0.0.1", port, "llm.test", made.certificate, "tell-nobody")
        assert completion(line, "m") == "ready"
        assert seen == ["Bearer tell-nobody"]
    assert "tell-nobody" not in repr(line)


def test_another_server_on_the_port_gets_no_token(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    ours, other = authority.server("llm.test"), authority.server("other.test")
    with server(200, GOOD, other) as (port, seen):
        for certificate in (ours.certificate, other.certificate):
            with pytest.raises(EngineError, match="the certificate is not the one expected"):
                completion(Line("127.0.0.1", port, "llm.test", certificate, "t"), "m")
        assert seen == []


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b'{"error": {"message": "no GPU"}}', "expected 200, found 500.*no GPU"),
        (200, b"<html>login</html>", "expected JSON, found something else"),
        (200, b'{"choices": []}', "expected choices with a message"),
        (200, b"[" * 100_000, "expected JSON"),
        (401, b"", "found 401: nothing"),
        (502, b"\x00\x1b[31m" + b"x" * 5_000_000, "found 502"),
    ],
)
def test_anything_else_is_no_answer(status: int, body: bytes, words: str) -> None:
    with server(status, body) as (port, _), pytest.raises(EngineError, match=words) as caught:
        completion(Line("127.0.0.1", port), "m")
    assert len(caught.value.message) < 500


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no answer: Connection refused"):
        completion(Line("127.0.0.1", 1), "m")
