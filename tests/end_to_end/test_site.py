"""The README's sessions that need a container engine: typed into a real shell, on a real Docker, word by word."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.counterparts.docker import docker_engine
from tests.counterparts.need import need
from tests.counterparts.port import free_port
from tests.site.install.world import World, run
from tests.test_readme import ON_AN_ENGINE, blocks, fits, rows, run_block, session


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """What the README's administrator has before them: two bundles, a certificate with its key, the CA."""
    world = World(tmp_path / "world")
    place = tmp_path / "here"
    place.mkdir()
    for version in ("1.0.0", "1.1.0"):
        shutil.move(world.bundle(version), place)
    shutil.copy(world.certificate.certificate, place / "cert.pem")
    shutil.copy(world.certificate.key, place / "key.pem")
    shutil.copy(world.certificate.ca, place / "ca.pem")
    return place


def test_install_status_upgrade_rollback_prune_uninstall(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("curl", "curl")
    port = str(free_port())
    with docker_engine(tmp_path) as socket:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
        for block in blocks("shell-session"):
            steps = list(session(block))
            typed = [command.replace("8443", port) for command, _ in steps]
            for (command, shown), seen in zip(steps, run_block(typed, place, tmp_path), strict=True):
                expected = [line.replace("8443", port) for line in shown]
                assert fits(expected, seen), f"$ {command}\n" + "\n".join(seen)
        assert printed_keys(place, port) == {name: listed_keys(name) for name in ON_AN_ENGINE}


def printed_keys(place: Path, port: str) -> dict[str, set[str]]:
    """What each command of the site prints with --json, on the way from nothing to nothing."""
    chosen = ["--gpus", "none", "--https-port", port, "--no-http", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]
    root = ["--root", "site", "--json"]
    calls = {
        "rehearse": ["rehearse", "tiny-1.0.0.tar", "--json"],
        "install": ["install", "tiny-1.0.0.tar", *chosen, *root],
        "status": ["status", *root],
        "rollback": ["rollback", *root],
        "prune": ["prune", *root],
        "uninstall": ["uninstall", "--yes", *root],
    }
    keys = {}
    for name, command in calls.items():
        if name == "rollback":
            assert run("install", "tiny-1.1.0.tar", *root, cwd=place).code == 0
        done = run(*command, cwd=place)
        assert done.code == 0, done.err
        keys[name] = set(json.loads(done.out))
    return keys


def listed_keys(name: str) -> set[str]:
    """The keys that the README lists for a command."""
    (cells,) = [cells for cells in rows("command", "keys") if cells[0] == f"`{name}`"]
    return set(re.findall(r"`(\w+)`", cells[1]))
