"""The engine is stopped half-way, or its disk is full: the next run of the same command completes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.counterparts.docker import answers, started
from tests.counterparts.mounts import mounted
from tests.counterparts.need import need
from tests.counterparts.port import free_port
from tests.site.install.spot import Spot, docker_spot
from tests.site.install.world import Done, World

MIB = 1 << 20


class Engine:
    """A dockerd of our own that can be killed and started again; its images lie on a disk of 400 MiB."""

    def __init__(self, folder: Path) -> None:
        if os.geteuid():
            pytest.skip("a dockerd of one's own needs root: sudo make test")
        self.folder = folder
        self.disk = folder / "data"
        self._stack = ExitStack()
        self._running = ExitStack()
        self._stack.enter_context(mounted("ext4", self.disk, size=400 * MIB))
        self.socket = folder / "docker.sock"
        self.start()

    def start(self) -> None:
        self._running.enter_context(started(need("dockerd", "docker.io"), self.folder))

    def kill(self) -> None:
        """As a crash does: nobody is told."""
        os.kill(int((self.folder / "pid").read_text()), signal.SIGKILL)
        self._running.close()
        # Its containerd dies with it. Where nobody buries the dead, the next one would take that for alive.
        (self.folder / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def close(self) -> None:
        """An engine that was killed leaves mounts of its containers."""
        self._running.close()
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((name for name in mounts if name.startswith(f"{self.folder}/exec/")), reverse=True):
            subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
        self._stack.close()


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("own"))  # short: the path of a socket has 108 bytes at most
    yield made
    made.close()


@pytest.fixture
def spot(world: World, engine: Engine, tmp_path: Path) -> Iterator[Spot]:
    made = docker_spot(world, tmp_path / "site", engine.socket)
    yield made
    if answers(engine.socket):
        made.clear()


def while_it_runs(spot: Spot, arguments: list[str], when: Callable[[], bool], then: Callable[[], None]) -> Done:
    """The command, with something done to the machine as soon as it is so far."""
    process = spot.start(arguments)
    end = time.monotonic() + 120
    while not when():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.005)
    then()
    out, err = process.communicate(timeout=240)
    assert "Traceback" not in err, err
    return Done(process.returncode, out, err)


def fill(path: Path) -> None:
    """Take what is left of the disk."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def known(spot: Spot) -> bool:
    """It is unpacked, and its images come next."""
    return (spot.root / "state.json").exists()


def moving(spot: Spot) -> bool:
    """Containers are being stopped and started."""
    return known(spot) and spot.state()["moving"] is not None


def test_killed_while_it_loads_images(spot: Spot, engine: Engine) -> None:
    done = while_it_runs(spot, spot.arguments(spot.bundle("1.0.0")), lambda: known(spot), engine.kill)
    assert done.code == 7, done.err
    error = json.loads(done.out)["error"]
    assert error["message"].startswith("Docker: ")
    assert error["hint"]
    engine.start()
    assert spot.install("1.0.0").code == 0
    assert spot.chat()


def test_killed_while_one_release_follows_another(spot: Spot, engine: Engine) -> None:
    old = spot.serve("1.0.0")
    done = while_it_runs(spot, spot.arguments(spot.bundle("1.3.0")), lambda: moving(spot), engine.kill)
    assert done.code == 7, done.err
    assert "does not serve again" in json.loads(done.out)["error"]["hint"]
    assert spot.state()["current"] == old
    assert spot.at("status").code == 8
    assert spot.at("uninstall", "--yes").code == 7
    assert spot.root.exists()
    engine.start()
    new = spot.serve("1.3.0")
    assert spot.chat()
    assert spot.running() == spot.of(new)


def test_its_disk_is_full(spot: Spot, engine: Engine) -> None:
    """Doctor would say so beforehand: it may be wrong about what an image grows to."""
    filler = engine.disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(engine.disk).free - 16 * MIB)
    assert [row["check"] for row in json.loads(spot.install("1.0.0").out)["findings"] if row["state"] == "block"] == [
        f"space on {engine.disk}"
    ]
    done = spot.install("1.0.0", "--ignore", f"space on {engine.disk}")
    assert done.code == 7, done.err
    error = json.loads(done.out)["error"]
    assert "no space left on device" in error["message"]
    assert error["hint"]
    filler.unlink()
    assert spot.install("1.0.0").code == 0
    assert spot.chat()


def test_the_disk_of_the_installation_is_full(spot: Spot, tmp_path: Path) -> None:
    """Nothing is stopped before it is on disk that the service is on its way."""
    with mounted("tmpfs", tmp_path / "disk", size=80 * MIB) as disk:
        spot.root = disk / "site"
        old = spot.serve("1.0.0")
        filler = disk / "filler"
        fill(filler)
        done = spot.run([*spot.arguments(spot.bundle("1.0.0")), "--monitor", "127.0.0.2"])
        assert done.code == 6, done.err
        error = json.loads(done.out)["error"]
        assert "No space left on device" in error["message"]
        assert "Free some space" in error["hint"]
        assert spot.chat()
        filler.unlink()
        assert spot.run([*spot.arguments(spot.bundle("1.0.0")), "--monitor", "127.0.0.2"]).code == 0
        assert spot.state()["settings"]["monitors"] == ["127.0.0.2"]
        assert spot.running() == spot.of(old)
        assert spot.at("uninstall", "--yes").code == 0


def test_a_port_taken_between_the_check_and_the_start(spot: Spot) -> None:
    old = spot.serve("1.0.0")
    served, spot.https = spot.https, free_port()
    with socket.socket() as thief:

        def steal() -> None:
            thief.bind(("127.0.0.1", spot.https))
            thief.listen()

        done = while_it_runs(spot, spot.arguments(spot.bundle("1.3.0")), lambda: moving(spot), steal)
    assert done.code == 7, done.err
    error = json.loads(done.out)["error"]
    assert "address already in use" in error["message"] or "port is already allocated" in error["message"]
    assert error["hint"].startswith("The release before serves again.")
    spot.https = served
    assert spot.answers_soon()
    assert spot.running() == spot.of(old)
