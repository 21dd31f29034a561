"""Who sends slowly or nothing at all: shut out in time, and no hindrance to others. Times are shortened in the text."""

from __future__ import annotations

import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.serving.nginx.config import Limits
from tests.counterparts.certificates import Certificate
from tests.counterparts.engine import Engine
from tests.serving.nginx.requests import BEARER, CHAT
from tests.serving.nginx.running import NAME, Running, make_config
from tests.serving.nginx.wire import connect, http1, read_reply

HEAD = f"POST {CHAT} HTTP/1.1\r\nHost: {NAME}\r\n"
# TLS's first byte, and HTTP's first letter: a request has begun, so the connection cannot be given to another client.
BEGINNINGS = {"https": b"\x16", "http": b"G"}
MANY = 10_000


@pytest.fixture(params=["debian", "wheel"])
def hasty(
    request: pytest.FixtureRequest, tmp_path: Path, certificate: Certificate, engine: Engine
) -> Iterator[Running]:
    """A proxy that waits a second where the rendered one waits 15 s for headers and 60 s for a body."""
    config = replace(
        make_config(tmp_path, certificate, (engine.address,), request.param), limits=Limits(9999, 9999, 9999)
    )
    running = Running(tmp_path, config, request.param)
    site = tmp_path / "llm-bundle.conf"
    text = site.read_text()
    assert text.count("client_header_timeout 15s;") == text.count("server_name ") == 4
    assert text.count("client_body_timeout 60s;") == 1
    site.write_text(text.replace("client_header_timeout 15s;", "client_header_timeout 1s;").replace(" 60s;", " 1s;"))
    with running:
        yield running


@pytest.fixture
def many_files() -> Iterator[None]:
    """Room for as many open files in this process and in those that it starts."""
    wanted = MANY + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"{wanted} open files are needed, and {hard} are allowed: raise the limit with ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def seconds_until_closed(line: socket.socket, drop: bytes = b"") -> float:
    """How long the proxy keeps a connection on which ``drop`` arrives five times a second."""
    began = time.monotonic()
    line.settimeout(0.2)
    while time.monotonic() - began < 8:
        try:
            if drop:
                line.send(drop)
            if not line.recv(65536):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


@pytest.mark.parametrize("scheme", BEGINNINGS)
@pytest.mark.parametrize("says", ["nothing", "a beginning"])
def test_who_does_not_go_on_is_shut_out(hasty: Running, scheme: str, says: str) -> None:
    port = hasty.config.https_port if scheme == "https" else hasty.config.http_port or 0
    with connect(port, None, None) as line:
        if says == "a beginning":
            line.sendall(BEGINNINGS[scheme])
        assert seconds_until_closed(line) < 4


def test_headers_have_one_time_for_all_of_them(hasty: Running, certificate: Certificate, engine: Engine) -> None:
    with connect(hasty.config.https_port, certificate, NAME) as line:
        line.sendall(HEAD.encode())
        assert seconds_until_closed(line, drop=b"X: a\r\n") < 4
    assert '"status":408' in hasty.log("access.json.log")
    assert engine.seen == []


def test_a_body_that_stops_ends_and_the_engine_never_knew(
    hasty: Running, certificate: Certificate, engine: Engine
) -> None:
    with connect(hasty.config.https_port, certificate, NAME) as line:
        line.sendall(f'{HEAD}{BEARER}\r\nContent-Length: 1000\r\n\r\n{{"a":'.encode())
        assert seconds_until_closed(line) < 4
    assert json.loads(hasty.log("access.json.log").splitlines()[-1])["status"] == 408
    assert engine.seen == []


def test_no_body_is_waited_for_without_a_token(hasty: Running, certificate: Certificate) -> None:
    for headers, status in (("", 401), (f"{BEARER}x\r\n", 401)):
        request = f"{HEAD}{headers}Content-Length: 30000000\r\n\r\n"
        began = time.monotonic()
        assert http1(hasty.config.https_port, request.encode(), certificate).status == status
        assert time.monotonic() - began < 0.9, "less than the time that a body has"


def test_one_who_reads_nothing_holds_up_nobody(hasty: Running, certificate: Certificate, engine: Engine) -> None:
    engine.conduct.events = 200_000
    request = f'{HEAD}{BEARER}\r\nContent-Length: 16\r\n\r\n{{"stream": true}}'
    with connect(hasty.config.https_port, certificate, NAME) as line:
        line.sendall(request.encode())
        time.sleep(0.5)
        good = http1(
            hasty.config.https_port,
            f"GET /v1/models HTTP/1.1\r\nHost: {NAME}\r\n{BEARER}\r\n\r\n".encode(),
            certificate,
        )
        assert good.status == 200


@pytest.mark.parametrize("scheme", BEGINNINGS)
def test_ten_thousand_who_begin_and_wait(
    tmp_path: Path, certificate: Certificate, engine: Engine, many_files: None, scheme: str
) -> None:
    config = make_config(tmp_path, certificate, (engine.address,), "debian")
    port = config.https_port if scheme == "https" else config.http_port or 0
    with Running(tmp_path, config, "debian") as running, ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(connect(port, None, None)).sendall(BEGINNINGS[scheme])
        began = time.monotonic()
        with connect(config.https_port, certificate, NAME) as line:
            line.sendall(f"GET /v1/models HTTP/1.1\r\nHost: {NAME}\r\n{BEARER}\r\n\r\n".encode())
            assert read_reply(line).status == 200
        assert time.monotonic() - began < 3
        assert "worker_connections are not enough" not in running.log("error.log")
