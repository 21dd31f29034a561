"""Several engines behind one proxy: the work is spread, who cannot be reached is passed over, and nothing that an
engine may have begun is sent to another."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.serving.nginx.render import render
from bundler.serving.nginx.version import OLDEST
from tests.counterparts.certificates import Certificate
from tests.counterparts.engine import Engine
from tests.counterparts.port import free_port
from tests.serving.nginx.running import NAME, TOKEN, Running, make_config
from tests.serving.nginx.wire import Reply, http1

ROOT = Path(__file__).parent.parent.parent.parent
Start = Callable[..., Running]
_ENGINE = """
import sys, time
from tests.counterparts.engine import Engine
with Engine() as engine:
    engine.conduct.stall = float(sys.argv[1])
    print(engine.address, flush=True)
    time.sleep(600)
"""


class Quitter:
    """An engine that reads a request and hangs up; ``seen`` are the requests."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Quitter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closed under a waiting accept, the thread would go on with the next server that gets its file descriptor.
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line:
                self.seen.append(line.recv(65536).partition(b"\r\n")[0])


@pytest.fixture(params=["debian", "wheel"])
def start(request: pytest.FixtureRequest, tmp_path: Path, certificate: Certificate) -> Iterator[Start]:
    """Starts a proxy in front of these upstreams."""
    running: list[Running] = []

    def make(*upstreams: str) -> Running:
        which: str = request.param
        running.append(Running(tmp_path, make_config(tmp_path, certificate, upstreams, which), which))
        return running[-1].__enter__()

    yield make
    for one in running:
        one.__exit__()


@pytest.fixture
def two() -> Iterator[tuple[Engine, Engine]]:
    with Engine() as one, Engine() as other:
        yield one, other


def ask(proxy: Running, certificate: Certificate, line: str = "POST /v1/chat/completions") -> Reply:
    body = b'{"model": "tiny"}' if line.startswith("POST") else b""
    head = f"{line} HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    return http1(proxy.config.https_port, request, certificate)


def at_once(proxy: Running, certificate: Certificate, count: int) -> list[int]:
    with ThreadPoolExecutor(count) as pool:
        return [reply.status for reply in pool.map(lambda _: ask(proxy, certificate), range(count))]


def test_each_request_goes_to_who_has_the_fewest(
    start: Start, certificate: Certificate, two: tuple[Engine, Engine]
) -> None:
    proxy = start(*(engine.address for engine in two))
    two[0].conduct.stall = two[1].conduct.stall = 0.4
    assert at_once(proxy, certificate, 8) == [200] * 8
    # Also over several workers of Nginx, which would each count for themselves.
    assert [len(engine.seen) for engine in two] == [4, 4]


def test_a_slow_engine_gets_less(start: Start, certificate: Certificate, two: tuple[Engine, Engine]) -> None:
    proxy = start(*(engine.address for engine in two))
    two[0].conduct.stall = two[1].conduct.stall = 3.0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, proxy, certificate)
        while not (busy := [engine for engine in two if engine.seen]):
            time.sleep(0.01)
        (free,) = (engine for engine in two if engine is not busy[0])
        free.conduct.stall = 0.0
        assert [ask(proxy, certificate).status for _ in range(6)] == [200] * 6
        assert (len(busy[0].seen), len(free.seen)) == (1, 6)
        assert waiting.result().status == 200


def test_an_engine_that_is_down_is_passed_over(
    start: Start, certificate: Certificate, two: tuple[Engine, Engine]
) -> None:
    down = f"127.0.0.1:{free_port()}"
    proxy = start(down, two[0].address)
    assert [ask(proxy, certificate).status for _ in range(12)] == [200] * 12
    assert len(two[0].seen) == 12
    rows = [json.loads(line) for line in proxy.log("access.json.log").splitlines()]
    passed = [row for row in rows if down in row["upstream"]]
    # After three failures in 30 seconds it is left alone.
    assert 1 <= len(passed) <= 3
    assert {row["upstream"] for row in passed} == {f"{down}, {two[0].address}"}


def test_all_down_is_502(start: Start, certificate: Certificate) -> None:
    proxy = start(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    replies = [ask(proxy, certificate) for _ in range(8)]
    assert {(reply.status, json.loads(reply.body)["error"]["code"]) for reply in replies} == {
        (502, "engine_unreachable")
    }


@pytest.mark.parametrize("line", ["POST /v1/chat/completions", "POST /v1/completions", "POST /v1/embeddings"])
def test_what_may_have_begun_is_not_sent_twice(start: Start, certificate: Certificate, line: str) -> None:
    with Quitter() as one, Quitter() as other:
        reply = ask(start(one.address, other.address), certificate, line)
        seen = [*one.seen, *other.seen]
    assert reply.status == 502
    assert json.loads(reply.body)["error"]["code"] == "engine_unreachable"
    assert [text.decode() for text in seen] == [f"{line} HTTP/1.1"]


def test_what_changes_nothing_is_asked_again(
    start: Start, certificate: Certificate, two: tuple[Engine, Engine]
) -> None:
    with Quitter() as quitter:
        proxy = start(quitter.address, two[0].address)
        replies = [ask(proxy, certificate, "GET /v1/models").status for _ in range(6)]
        assert quitter.seen
    assert replies == [200] * 6


def engine_process(stall: float) -> tuple[subprocess.Popen[str], str]:
    """An engine of its own that can be killed, and its address."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", _ENGINE, str(stall)], stdout=subprocess.PIPE, text=True,
                               env=environment)  # fmt: skip
    assert process.stdout
    return process, process.stdout.readline().strip()


def test_a_replica_that_is_killed_takes_only_its_own_requests_with_it(start: Start, certificate: Certificate) -> None:
    (killed, first), (kept, second) = engine_process(0.5), engine_process(0.5)
    try:
        proxy = start(first, second)
        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(ask, proxy, certificate) for _ in range(6)]
            time.sleep(0.25)
            killed.send_signal(signal.SIGKILL)
            during = Counter(one.result().status for one in asked)
        after = at_once(proxy, certificate, 6)
    finally:
        for process in (killed, kept):
            process.kill()
            process.wait(10)
            assert process.stdout
            process.stdout.close()
    assert during == {200: 3, 502: 3}
    assert after == [200] * 6
    rows = [json.loads(line) for line in proxy.log("access.json.log").splitlines()]
    assert {row["upstream"] for row in rows if row["status"] == 502} == {first}


def test_one_engine_alone_needs_none_of_it(tmp_path: Path, certificate: Certificate) -> None:
    config = make_config(tmp_path, certificate, ("10.0.0.1:8000",), "debian")
    alone = render(config, OLDEST)["llm-bundle.conf"]
    several = render(replace(config, upstreams=("10.0.0.1:8000", "10.0.0.2:8000")), OLDEST)["llm-bundle.conf"]
    for words in ("least_conn;", "zone llm-engine ", "max_fails=3 fail_timeout=30s"):
        assert (words in several, words in alone) == (True, False)
    assert "proxy_next_upstream error timeout;" in several
