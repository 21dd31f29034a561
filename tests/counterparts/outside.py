"""A host that lies outside: a network namespace with a TCP server, reachable from this machine over a cable."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.counterparts.need import need

ADDRESS, PORT = "198.18.77.2", 8088
_NEAR = "198.18.77.1/30"
_SERVER = f"""
import socket
with socket.create_server(("{ADDRESS}", {PORT})) as server:
    while True:
        server.accept()[0].close()
"""


@contextmanager
def outside() -> Iterator[tuple[str, int]]:
    """Address and port of the host."""
    ip = need("ip", "iproute2")
    if os.geteuid():
        pytest.skip("a network namespace needs root: sudo make test")
    name = f"llmb{os.getpid()}"
    near, far = f"n{os.getpid()}", f"f{os.getpid()}"
    inside = [ip, "netns", "exec", name]
    _run(ip, "netns", "add", name)
    try:
        _run(ip, "link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        _run(ip, "addr", "add", _NEAR, "dev", near)
        _run(ip, "link", "set", near, "up")
        _run(*inside, ip, "addr", "add", f"{ADDRESS}/30", "dev", far)
        _run(*inside, ip, "link", "set", far, "up")
        _run(*inside, ip, "route", "add", "default", "via", _NEAR.partition("/")[0])
        server = subprocess.Popen([*inside, str(Path(sys.executable)), "-c", _SERVER])
        try:
            time.sleep(0.3)
            yield ADDRESS, PORT
        finally:
            server.kill()
            server.wait(10)
    finally:
        subprocess.run([ip, "link", "del", near], capture_output=True, check=False)
        _run(ip, "netns", "del", name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=20)
