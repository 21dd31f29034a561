"""Both engines, and a site whose parts run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bundler.site.engines.docker import Docker
from bundler.site.engines.interface import Engine
from bundler.site.engines.podman import Podman
from tests.site.parts.stage import Site, bring_up, cleaned, make_site, ours


@pytest.fixture(scope="session", params=["docker", "podman"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "docker":
        return Docker(request.getfixturevalue("docker_socket"))
    return Podman(request.getfixturevalue("podman_command"))


@pytest.fixture(scope="session")
def serving(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Engine and proxy, running; a test that changes that brings them up again. Nothing is left of them."""
    site = make_site(tmp_path_factory.mktemp("site"), engine)
    with cleaned(site):
        bring_up(site.parts)
        yield site
    assert ours(site) == (set(), set())
    for part in site.parts.all:
        part.drop_images()
    assert not any(map(engine.has, site.images))
