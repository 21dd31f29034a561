"""Killed at any moment: what served answers still, or the next run of the same command completes; nothing is left over.

The moments follow from a seed and are spread over the time that the whole command takes on this machine. Several kills
come one after the other, so that what one leaves is found by the next.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.site.install.spot import Spot, ended

KILL, TERM, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGINT
INSTALLS = ((KILL, KILL, KILL), (KILL, TERM, KILL))
UPGRADES = ((KILL, KILL, KILL, KILL), (KILL, INT, KILL, KILL), (KILL, TERM, KILL, KILL))


def kill(spot: Spot, arguments: list[str], after: float, number: signal.Signals) -> None:
    """Start the command, and end it so many seconds later, unless it has ended."""
    process = spot.start(arguments)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        done = ended(process, number)
        assert done.code in (0, 130, -number), done.err
        assert "Traceback" not in done.err, done.err
    else:
        process.communicate()


def leftovers(spot: Spot) -> list[str]:
    """What no installation has that was not interrupted."""
    found = [str(path) for path in spot.root.rglob("*") if path.name.endswith((".new", ".partial", ".removed"))]
    folders = sorted(path.name for path in (spot.root / "releases").iterdir())
    state = spot.state()
    known = sorted(release["id"] for release in state["releases"])
    return found + ([f"folders {folders}, known {known}"] if folders != known else [])


def serves(spot: Spot, release: str) -> None:
    """It answers, it alone runs, and nothing lies about."""
    assert spot.chat()
    state = spot.state()
    assert (state["current"], state["moving"]) == (release, None)
    assert (spot.root / "current").readlink().name == release
    assert spot.running() == spot.of(release)
    assert leftovers(spot) == []
    outcomes = [json.loads(line)["event"]["outcome"] for line in (spot.root / "audit.log").read_text().splitlines()]
    assert outcomes[-1] == "success"


def moments(count: int, seconds: float, seed: int) -> list[float]:
    """One at random in each of ``count`` equal parts of the time, in a random order."""
    chance = random.Random(seed)
    found = [seconds * (part + chance.random()) / count for part in range(count)]
    chance.shuffle(found)
    return found


@pytest.mark.timeout(900)
def test_killed_while_it_installs(on_docker: Spot) -> None:
    began = time.monotonic()
    release = on_docker.serve("1.0.0")
    seconds = time.monotonic() - began
    times = moments(sum(map(len, INSTALLS)), seconds, 5)
    for batch in INSTALLS:
        assert on_docker.at("uninstall", "--yes").code == 0
        assert not on_docker.root.exists()
        for number in batch:
            kill(on_docker, on_docker.arguments(on_docker.bundle("1.0.0")), times.pop(), number)
        assert on_docker.serve("1.0.0") == release
        serves(on_docker, release)


@pytest.mark.timeout(900)
def test_killed_while_it_upgrades(on_docker: Spot) -> None:
    """Up, and down again, in turn; what is known of one release is of use to the next."""
    old = on_docker.serve("1.0.0")
    began = time.monotonic()
    new = on_docker.serve("1.3.0")
    seconds = time.monotonic() - began
    times = moments(sum(map(len, UPGRADES)), seconds, 7)
    now, then = ("1.3.0", new), ("1.0.0", old)
    for batch in UPGRADES:
        for number in batch:
            kill(on_docker, [*on_docker.arguments(on_docker.bundle(then[0])), "--allow-downgrade"], times.pop(), number)
            if number != KILL:
                assert on_docker.state()["moving"] is None
                assert on_docker.answers_soon()
        assert on_docker.serve(then[0]) == then[1]
        serves(on_docker, then[1])
        now, then = then, now


def test_killed_on_podman(on_podman: Spot) -> None:
    """A few moments: each command of Podman's that was begun goes on by itself for a while."""
    old = on_podman.serve("1.0.0")
    began = time.monotonic()
    new = on_podman.serve("1.3.0")
    for after in moments(3, time.monotonic() - began, 11):
        kill(on_podman, [*on_podman.arguments(on_podman.bundle("1.0.0")), "--allow-downgrade"], after, KILL)
    assert on_podman.serve("1.0.0") == old
    serves(on_podman, old)
    assert new in {path.name for path in (on_podman.root / "releases").iterdir()}


def test_killed_while_it_takes_all_away(on_docker: Spot) -> None:
    for after in (0.7, 1.5):
        if not Path(on_docker.root / "state.json").exists():
            on_docker.serve("1.0.0")
        kill(on_docker, ["uninstall", "--root", str(on_docker.root), "--yes"], after, KILL)
    if on_docker.root.exists():
        assert on_docker.at("uninstall", "--yes").code == 0
    assert not on_docker.root.exists()
    assert (on_docker.running(), on_docker.images()) == ([], [])
