"""Both engines with a bundle to rehearse; after each test there is what there was before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.site.rehearse.stage import Images, Stage, make_bundle, on_docker, on_podman, stored_images


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One with a proxy and a tool-call parser, and one with neither."""
    whole = make_bundle(tmp_path_factory.mktemp("whole"), tool_parser="hermes")
    return whole, make_bundle(tmp_path_factory.mktemp("bare"), proxy=False)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return stored_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def any_docker(docker_socket: Path, bundles: tuple[Path, Path]) -> Stage:
    return on_docker(docker_socket, bundles)


@pytest.fixture(scope="session")
def any_podman(
    podman_command: tuple[str, ...], bundles: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    return on_podman(podman_command, bundles, tmp_path_factory.mktemp("shim"))


@contextmanager
def unchanged(stage: Stage) -> Iterator[Stage]:
    """Nothing comes to be in the engine or beside the bundle, and nothing is lost."""
    before = stage.left()
    yield stage
    assert stage.left() == before


@pytest.fixture(params=["docker", "podman"])
def each(request: pytest.FixtureRequest, images: Images) -> Iterator[Stage]:
    """Docker, which has the images, and Podman, which does not."""
    made: Stage = request.getfixturevalue(f"any_{request.param}")
    made.fill(images) if request.param == "docker" else made.empty(images)
    with unchanged(made):
        yield made


@pytest.fixture
def docker(any_docker: Stage, images: Images) -> Iterator[Stage]:
    """Docker, which has the images."""
    any_docker.fill(images)
    with unchanged(any_docker):
        yield any_docker


@pytest.fixture
def podman(any_podman: Stage, images: Images) -> Iterator[Stage]:
    """Podman, which has the images."""
    any_podman.fill(images)
    with unchanged(any_podman):
        yield any_podman
