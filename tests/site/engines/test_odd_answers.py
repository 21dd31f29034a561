"""An engine that answers what no engine should: never anything but our own errors."""

from __future__ import annotations

import http.server
import json
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bundler.errors import BundleError, EngineError
from bundler.site.engines.docker import Docker
from bundler.site.engines.interface import Engine
from bundler.site.engines.podman import Podman

_ODD: tuple[Any, ...] = (1, "x", None, True, [], {}, [1], [[]], [{}], {"x": 1})
_KEYS = (
    *("SecurityOptions", "Runtimes", "CDISpecDirs", "State", "Config", "NetworkSettings", "RestartCount", "Labels"),
    *("Id", "Image", "IPAM", "subnets", "labels", "host", "store", "version", "Internal", "internal"),
)
_INSIDE = {
    "State": ("ExitCode", "Health", "Healthcheck", "Pid", "StartedAt", "Status"),
    "Config": ("Labels", "Healthcheck"),
    "NetworkSettings": ("Networks",),
    "IPAM": ("Config",),
    "host": ("security",),
}


def shapes() -> Iterator[Any]:
    yield from _ODD
    for odd in _ODD:
        for key in _KEYS:
            yield {key: odd}
            for inner in _INSIDE.get(key, ()):
                yield {key: {inner: odd, "Running": True}}
        yield {"NetworkSettings": {"Networks": {"a": odd}}}
        yield {"IPAM": {"Config": [{"Subnet": odd}]}}


def verbs(engine: Engine) -> tuple[Callable[[], object], ...]:
    return (
        engine.info,
        engine.networks,
        lambda: engine.inspect("c"),
        lambda: engine.stop("c"),
        lambda: engine.remove("c"),
        lambda: engine.logs("c"),
        lambda: engine.create_network("n", "owner", internal=True),
        lambda: engine.remove_network("n"),
        lambda: engine.remove_image("i"),
    )


def asked(engine: Engine) -> None:
    for verb in verbs(engine):
        with suppress(BundleError):
            verb()


class _Daemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    body = b""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Daemon

    def log_message(self, *args: object) -> None:
        """Nothing."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"ApiVersion": "1.45"}' if self.path == "/version" else self.server.body
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _answer


@contextmanager
def daemon(path: Path) -> Iterator[_Daemon]:
    with _Daemon(str(path), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_docker(tmp_path: Path) -> None:
    with daemon(tmp_path / "socket") as server:
        docker = Docker(tmp_path / "socket")
        for shape in shapes():
            server.body = json.dumps(shape).encode()
            asked(docker)


def test_podman(tmp_path: Path) -> None:
    program = tmp_path / "podman"
    program.write_text(f'#!/bin/sh\nwhile read -r line; do echo "$line"; done < {tmp_path}/answer\n')
    program.chmod(0o755)
    podman = Podman((str(program),))
    # Every call is a process: each fifth shape, so that no key is left out.
    for shape in list(shapes())[::5]:
        for said in (shape, [shape]):
            (tmp_path / "answer").write_text(json.dumps(said) + "\n")
            asked(podman)


@pytest.mark.parametrize(
    "said", ['default OCI runtime "crun" not found: invalid argument', "mount: no such file or directory"]
)
def test_podman_that_cannot_look_is_not_one_that_has_nothing(tmp_path: Path, said: str) -> None:
    """`uninstall` would leave the containers, and say that all is gone."""
    program = tmp_path / "podman"
    program.write_text(f"#!/bin/sh\necho 'Error: {said}' >&2\nexit 125\n")
    program.chmod(0o755)
    podman = Podman((str(program),))
    for verb in (lambda: podman.inspect("c"), lambda: podman.remove("c"), lambda: podman.remove_network("n")):
        with pytest.raises(EngineError, match=re.escape(said)):
            verb()
