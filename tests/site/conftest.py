"""The engines, each started once for all tests of the site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counterparts.docker import docker_engine
from tests.counterparts.podman import podman_engine


@pytest.fixture(scope="session")
def docker_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with docker_engine(tmp_path_factory.mktemp("docker")) as socket:
        yield socket


@pytest.fixture(scope="session")
def podman_command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    with podman_engine(tmp_path_factory.mktemp("podman")) as command:
        yield command
