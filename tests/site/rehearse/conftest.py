"""Both engines with a bundle to rehearse; after each test there is what there was before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.site.rehearse.stage import Stage, make_bundle, on_docker, on_podman


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One with a proxy and a tool-call parser, and one with neither."""
    whole = make_bundle(tmp_path_factory.mktemp("whole"), tool_parser="hermes")
    return whole, make_bundle(tmp_path_factory.mktemp("bare"), proxy=False)


@pytest.fixture(scope="session")
def empty_docker(docker_socket: Path, bundles: tuple[Path, Path]) -> Stage:
    return on_docker(docker_socket, bundles)


@pytest.fixture(scope="session")
def empty_podman(
    podman_command: tuple[str, ...], bundles: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    return on_podman(podman_command, bundles, tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="session")
def filled_docker(empty_docker: Stage, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    empty_docker.load_images(tmp_path_factory.mktemp("images"))
    return empty_docker


@pytest.fixture(scope="session")
def filled_podman(empty_podman: Stage, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    empty_podman.load_images(tmp_path_factory.mktemp("images"))
    return empty_podman


@contextmanager
def unchanged(stage: Stage) -> Iterator[Stage]:
    """Nothing comes to be in the engine or beside the bundle, and nothing is lost."""
    before = stage.left()
    yield stage
    assert stage.left() == before


@pytest.fixture(params=["docker", "podman"])
def each(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Each engine, which has the images or not, as the tests before left it."""
    with unchanged(request.getfixturevalue(f"empty_{request.param}")) as stage:
        yield stage


@pytest.fixture
def docker(filled_docker: Stage) -> Iterator[Stage]:
    """Docker, which has the images."""
    with unchanged(filled_docker) as stage:
        yield stage


@pytest.fixture
def podman(filled_podman: Stage) -> Iterator[Stage]:
    """Podman, which has the images."""
    with unchanged(filled_podman) as stage:
        yield stage
