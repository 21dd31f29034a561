"""Bundles, built once by one process, and places to install them at, on engines that were started for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site.install.spot import Spot, docker_spot, podman_spot
from tests.site.install.world import World

VERSIONS = {"1.0.0": "", "1.1.0": "--fault, crash", "1.2.0": "--fault, mute", "1.3.0": ""}
"""What the engine is told: 1.1.0 ends at once, 1.2.0 answers no chat completion."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The connected side, with its bundles."""
    made = World(tmp_path_factory.mktemp("world"))
    for version, args in VERSIONS.items():
        made.bundle(version, args=args)
    return made


@pytest.fixture
def on_docker(world: World, tmp_path: Path, docker_socket: Path) -> Iterator[Spot]:
    """A place on Docker."""
    made = docker_spot(world, tmp_path / "site", docker_socket)
    yield made
    made.clear()


@pytest.fixture
def on_podman(world: World, tmp_path: Path, podman_command: tuple[str, ...]) -> Iterator[Spot]:
    """A place on Podman."""
    made = podman_spot(world, tmp_path / "site", podman_command)
    yield made
    made.clear()
