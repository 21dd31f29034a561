"""The README's sessions that need a container engine: typed into a real shell, on a real Docker, word by word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.counterparts.docker import docker_engine
from tests.counterparts.need import need
from tests.site.install.world import World, free_port
from tests.test_readme import blocks, fits, run_block, session


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
