"""Servers that no one would run on purpose: whatever they send, the trial ends in time and with a finding."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from preconfigured import address
from preconfigured.live import wire
from preconfigured.live.direct import try_model
from tests.counterparts.certificates import Authority
from tests.counterparts.model_server import ModelServer
from tests.counterparts.nginx import Nginx, Proxy
from tests.preconfigured.live.raw import raw
from tests.preconfigured.live.stage import TOKEN, finding, wrong

JSON = b"HTTP/1.1 %d x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


def answer(body: bytes, status: int = 200) -> bytes:
    return JSON % (status, len(body), body)


@pytest.mark.parametrize(
    ("sent", "check", "place"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "models", "network"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "models", "network"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "models", "network"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "models", "network"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n", "models", "path"),
        (answer(b"<html>"), "models", "path"),
        (answer(b"[" * 100_000), "models", "path"),
        (answer(b'{"error": "no"}', 403), "models", "token"),
        (answer(b'{"error": "no"}', 299), "chat", "model-server"),
    ],
)
def test_a_finding_comes_out(sent: bytes, check: str, place: str) -> None:
    with raw(sent) as url:
        trial = try_model(url, "m", TOKEN, timeout=2)
    first = next(one for one in wrong(trial) if one[0] == check)
    assert first[2] == place
    assert not trial.ok


def test_the_token_is_never_shown() -> None:
    with raw(answer(b'{"error": {"message": "bad ' + TOKEN.encode() + b'"}}', 401)) as url:
        trial = try_model(url, "m", TOKEN, timeout=2)
    assert TOKEN not in repr(trial)
    assert "401: bad …" in finding(trial, "models").found
    with raw(answer(b'{"data": [{"id": "' + TOKEN.encode() + b'"}]}')) as url:
        assert TOKEN not in repr(try_model(url, "m", TOKEN, timeout=2))


def test_an_answer_that_drips() -> None:
    begun = time.monotonic()
    with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b" " * 800, drip=0.1) as url:
        trial = try_model(url, "m", TOKEN, timeout=0.5)
        assert time.monotonic() - begun < 2
    assert wrong(trial) == [("models", "block", "model-server")]
    assert "no whole answer within 0.5 s" in finding(trial, "models").found


def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST", 100_000)
    with raw(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 400_000) as url:
        trial = try_model(url, "m", TOKEN, timeout=2)
    assert wrong(trial) == [("models", "block", "model-server")]
    assert "more than 100000 bytes" in finding(trial, "models").found


def test_a_redirect_is_not_followed() -> None:
    with ModelServer() as server:
        location = f"Location: {server.url}/v1/models\r\nContent-Length: 0\r\n\r\n"
        with raw(b"HTTP/1.1 301 x\r\n" + location.encode()) as url:
            trial = try_model(url, "m", TOKEN, timeout=2)
        assert server.behaviour.seen == []
    assert wrong(trial) == [("chat", "block", "path")]


def test_the_name_that_is_verified_is_that_of_the_address(tmp_path: Path, authority: Authority) -> None:
    proxy = Proxy(tls=authority.server("localhost"))
    with ModelServer() as server, Nginx(tmp_path / "nginx", server.host, proxy, name="127.0.0.1") as nginx:
        trial = try_model(nginx.url, "mistral-small", TOKEN, ca=authority.ca, timeout=5)
    assert wrong(trial) == [("tls", "block", "tls")]
    assert "not for the name 127.0.0.1" in finding(trial, "tls").found


def test_a_413_that_comes_before_the_request_was_read() -> None:
    """A server that answers at once and resets the connection while the large request is still being sent."""

    def serve() -> None:
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_RD)
        time.sleep(0.3)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        target = address.chat(f"http://127.0.0.1:{listener.getsockname()[1]}", "test")
        found = wire.Wire(target, TOKEN, timeout=5).ask("POST", "/v1/chat/completions", b" " * 30_000_000)
        thread.join(5)
    assert found.status == 413
