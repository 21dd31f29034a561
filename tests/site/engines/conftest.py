"""The engines with an image, each prepared once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bundler.site.engines.docker import Docker
from bundler.site.engines.interface import Engine
from bundler.site.engines.podman import Podman
from tests.counterparts.engine_image import engine_image
from tests.site.engines.stage import NAME, NETWORK, Stage, make_release


@pytest.fixture(scope="session", params=["docker", "podman"])
def shared_engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "docker":
        return Docker(request.getfixturevalue("docker_socket"))
    return Podman(request.getfixturevalue("podman_command"))


@pytest.fixture(scope="session")
def stage(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("release")
    made = make_release(folder, engine_image(), ulimits=isinstance(shared_engine, Docker))
    shared_engine.load(made.image)
    return made


@pytest.fixture
def engine(shared_engine: Engine, stage: Stage) -> Iterator[Engine]:
    """An engine that has the image; the container and network of a test are removed after it."""
    yield shared_engine
    shared_engine.remove(NAME)
    shared_engine.remove_network(NETWORK)
