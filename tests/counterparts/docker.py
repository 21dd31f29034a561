"""A real Docker engine: the one of this machine, or Debian's dockerd started for the tests with folders of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundler.errors import BundleError
from bundler.site.engines.docker import Docker
from tests.counterparts.need import need

_SYSTEM = Path("/var/run/docker.sock")
_SECONDS = 40


@contextmanager
def docker_engine(folder: Path) -> Iterator[Path]:
    """The socket of an engine; one that was started here is stopped afterwards."""
    if answers(_SYSTEM):
        yield _SYSTEM
        return
    program = need("dockerd", "docker.io")
    if os.geteuid():
        pytest.skip("dockerd is installed but does not run, and only root can start it: systemctl start docker")
    with started(program, folder) as socket:
        yield socket


@contextmanager
def started(program: str, folder: Path) -> Iterator[Path]:
    """A dockerd of our own, with data, state and socket below ``folder``."""
    socket = folder / "docker.sock"
    options = [f"--host=unix://{socket}", f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen([program, *options, f"--pidfile={folder}/pid"], stdout=log, stderr=log)
    try:
        until = time.monotonic() + _SECONDS
        while not answers(socket):
            words = (folder / "log").read_text(errors="replace")[-1500:]
            assert daemon.poll() is None and time.monotonic() < until, f"dockerd did not start:\n{words}"
            time.sleep(0.1)
        yield socket
    finally:
        daemon.terminate()
        daemon.wait(60)
        # It leaves the host's own network namespace mounted where a container was on it, and nobody could remove that.
        subprocess.run(["umount", f"{folder}/exec/netns/default"], capture_output=True, check=False)


def answers(socket: Path) -> bool:
    """Whether an engine that this user may talk to listens there."""
    try:
        return bool(Docker(socket).info().version)
    except BundleError:
        return False
