"""The counterparts, started once for all tests of the whole tool, and a bundle that was built with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.counterparts.faulty import FaultyServer
from tests.counterparts.hub import Hub
from tests.counterparts.registry import RegistryServer
from tests.end_to_end.stage import (
    TOKEN,
    TOP,
    Desk,
    Done,
    bundle_yml,
    fill_files,
    fill_hub,
    login_file,
    push_images,
)


@dataclass(frozen=True, slots=True)
class World:
    """The servers: ``closed`` wants a login, ``open`` none; ``commit`` and ``gguf`` are of hub and file server."""

    closed: RegistryServer
    open: RegistryServer
    hub: Hub
    files: FaultyServer
    commit: str
    gguf: str
    login: Path

    def desk(self, folder: Path, **more: str) -> Desk:
        """A folder whose user has logged in everywhere."""
        told = {"HF_ENDPOINT": self.hub.endpoint, "HF_TOKEN": TOKEN, "DOCKER_CONFIG": str(self.login)}
        return Desk(folder, {**told, **more})

    def yml(self, *, name: str = "journey") -> str:
        """The bundle.yml that takes everything from where it is at home."""
        plain = dict.fromkeys((self.closed.host, self.files.host), "{plain_http: true}")
        return bundle_yml(self.closed.host, self.files.host, registries=plain, name=name)


@dataclass(frozen=True, slots=True)
class Journey:
    """A bundle that went all the way: what each command left. ``root`` is where it was unpacked."""

    desk: Desk
    bundle: Path
    root: Path
    runs: dict[str, Done]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All servers, filled."""
    place = tmp_path_factory.mktemp("world")
    with (
        RegistryServer(place / "closed", basic=True) as closed,
        RegistryServer(place / "open") as open_,
        Hub() as hub,
        FaultyServer() as files,
    ):
        push_images(closed)
        push_images(open_, "copies/")
        commit, gguf = fill_hub(hub, place / "model"), fill_files(files, place / "gguf")
        yield World(closed, open_, hub, files, commit, gguf, login_file(place / "docker", closed.host))


@pytest.fixture(scope="session")
def journey(world: World, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """lock, plan, build, verify, inspect, unpack and diff, each with --json, on one bundle."""
    desk = world.desk(tmp_path_factory.mktemp("journey"))
    desk.write(world.yml())
    tar = f"{TOP}.tar"
    runs = {
        "lock": desk.run("lock", "--json"),
        "plan": desk.run("plan", "--json"),
        "build": desk.run("build", "--json"),
        "verify": desk.run("verify", "--json", tar),
        "inspect": desk.run("inspect", "--json", tar),
        "unpack": desk.run("unpack", "--json", tar, "site"),
        "diff": desk.run("diff", "--json", tar, f"site/{TOP}"),
    }
    return Journey(desk, desk.folder / tar, desk.folder / "site" / TOP, runs)
