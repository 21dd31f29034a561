"""Ctrl-C in the middle, a second build beside the first, a reader that leaves: nothing is lost, nothing breaks."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.end_to_end.conftest import Journey, World
from tests.end_to_end.stage import MODEL, TOP, Desk, lmstudio_yml

MIB = 1 << 20
BIG = random.Random(3).randbytes(20 * MIB)
SLOW = Fault(drip=(1 << 18, 0.02))


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """A server whose one file comes slowly: some 12 MB a second."""
    with FaultyServer() as started:
        started.routes["/big"] = Route(BIG, always=SLOW)
        yield started


@pytest.fixture
def desk(world: World, server: FaultyServer, tmp_path: Path) -> Desk:
    """A bundle.yml with the hub's model and the slow file, locked."""
    digest = hashlib.sha256(BIG).hexdigest()
    files = f"files: [{{url: 'http://{server.host}/big', sha256: {digest}, path: extra/big}}]\n"
    desk = world.desk(tmp_path)
    plain = {server.host: "{plain_http: true}"}
    desk.write(lmstudio_yml(f"{{id: {MODEL}}}", MODEL, files=files, registries=plain))
    desk.run("lock", "-q")
    return desk


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this never came"
        time.sleep(0.02)


def noted(folder: Path) -> int:
    """How many bytes the journal of the unfinished build counts."""
    path = folder / f"{TOP}.tar.partial.state"
    data = path.read_bytes()[128:] if path.exists() else b""
    return sum(int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data) - 7, 8))


def interrupted(process: subprocess.Popen[bytes]) -> str:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130, err
    return err.decode()


def test_ctrl_c_in_the_middle_of_a_build(desk: Desk, server: FaultyServer) -> None:
    process = desk.start("build")
    until(lambda: noted(desk.folder) > 8 * MIB)
    err = interrupted(process)
    assert err.rstrip().endswith("llm-bundle: stopped. Run the same command again to go on.")
    assert "Traceback" not in err
    left = sorted(path.name for path in desk.folder.iterdir())
    assert left == ["bundle.lock", "bundle.yml", f"{TOP}.tar.partial", f"{TOP}.tar.partial.state"]
    server.routes["/big"] = Route(BIG)
    again = desk.run("build", "--json")
    assert "continuing the build that was not finished" in again.err
    assert again.json["bytes_fetched"] <= len(BIG) - 8 * MIB
    assert any(seen.headers.get("Range") for seen in server.requests if seen.method == "GET")
    assert desk.run("verify", "--json", f"{TOP}.tar").json["ok"] is True
    assert not list(desk.folder.glob("*.partial*"))
    undisturbed = desk.run("build", "--json", "--output", "undisturbed").json
    assert undisturbed["manifest_sha256"] == again.json["manifest_sha256"]
    assert (desk.folder / "undisturbed" / f"{TOP}.tar").read_bytes() == (desk.folder / f"{TOP}.tar").read_bytes()


def test_a_second_build_beside_the_first_is_refused(desk: Desk, server: FaultyServer) -> None:
    server.routes["/big"] = Route(BIG, always=Fault(drip=(1 << 18, 0.2)))  # slower than any second build
    process = desk.start("build", "-q")
    until(lambda: noted(desk.folder) > 0)
    second = desk.run("build", code=6)
    assert "another build is writing the same bundle" in second.err
    assert "--output" in second.err
    assert interrupted(process) == "\nllm-bundle: stopped. Run the same command again to go on.\n"


def test_ctrl_c_while_the_hub_is_silent(world: World, tmp_path: Path) -> None:
    desk = world.desk(tmp_path)
    desk.write(lmstudio_yml(f"{{id: {MODEL}}}", MODEL, registries={"docker.io": "{}"}))
    asked = len(world.hub.seen)
    world.hub.faults.silences.append(8.0)
    process = desk.start("lock")
    until(lambda: len(world.hub.seen) > asked)
    began = time.monotonic()
    assert "Traceback" not in interrupted(process)
    assert time.monotonic() - began < 4
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.yml"]


@pytest.mark.parametrize("command", ["inspect --members", "inspect --json", "verify", "plan", "lock", "build --force"])
def test_a_reader_that_leaves_is_no_fault(journey: Journey, command: str) -> None:
    """``| head -1``: as a shell would say of other programs, 141, and not a word."""
    word, *options = command.split()
    target = [] if word in ("plan", "lock", "build") else [f"{TOP}.tar"]
    arguments = [word, *options, *target, *(["--output", "again"] if word == "build" else [])]
    process = journey.desk.start(*arguments)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    err = process.stderr.read().decode()
    assert process.wait(30) == 141, err
    process.stderr.close()
    assert not any(word in err for word in ("Traceback", "Broken pipe", "BrokenPipe"))
