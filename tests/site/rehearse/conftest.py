"""Both engines with a bundle to rehearse; after each test nothing may be left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site.rehearse.stage import Stage, make_bundle, on_docker, on_podman


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One with a proxy and a tool-call parser, and one with neither."""
    whole = make_bundle(tmp_path_factory.mktemp("whole"), tool_parser="hermes")
    return whole, make_bundle(tmp_path_factory.mktemp("bare"), proxy=False)


@pytest.fixture(params=["docker", "podman"])
def each(request: pytest.FixtureRequest, bundles: tuple[Path, Path], tmp_path: Path) -> Iterator[Stage]:
    """Each engine."""
    if request.param == "docker":
        made = on_docker(request.getfixturevalue("docker_socket"), bundles)
    else:
        made = on_podman(request.getfixturevalue("podman_command"), bundles, tmp_path)
    yield made
    assert made.left() == []


@pytest.fixture
def docker(docker_socket: Path, bundles: tuple[Path, Path]) -> Iterator[Stage]:
    """Docker alone, for what does not depend on the engine."""
    made = on_docker(docker_socket, bundles)
    yield made
    assert made.left() == []
