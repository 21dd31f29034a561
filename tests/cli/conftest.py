"""Servers for bad input, started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.bench import Bench, Servers, fill, make_bench
from tests.counterparts.faulty import FaultyServer
from tests.counterparts.hub import Hub
from tests.counterparts.registry import RegistryServer


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Two registries, a hub, a file server."""
    place = tmp_path_factory.mktemp("servers")
    with (
        RegistryServer(place / "open") as open_,
        RegistryServer(place / "closed", basic=True) as closed,
        Hub() as hub,
        FaultyServer() as files,
    ):
        found = Servers(open_, closed, hub, files)
        fill(found, place)
        yield found


@pytest.fixture
def bench(tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A folder of its own."""
    return make_bench(tmp_path, servers, monkeypatch)
