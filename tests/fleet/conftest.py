"""A stand-in for Kibana and a real node that remembers, together as a stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kibana_assets.connection.address import server
from kibana_assets.connection.http import Wire
from kibana_assets.connection.login import api_key, secret_of
from kibana_assets.connection.target import Target
from kibana_assets.connection.trust import Trust
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.fleet.api import Api
from kibana_assets.fleet.client import Fleet
from kibana_assets.fleet.part import FleetPart
from kibana_assets.fleet.wish import Wish
from kibana_assets.install.apply import apply
from kibana_assets.install.plan import Change
from kibana_assets.install.record import FLEET
from kibana_assets.kibana.client import Kibana
from kibana_assets.package.build import Built, build
from kibana_assets.package.tree import load
from kibana_assets.package.zip_file import zip_file
from tests.assets.stage import make_key
from tests.counterparts.elasticsearch import VERSIONS, Node, Nodes, RefusedError, chosen
from tests.counterparts.kibana import KEY
from tests.counterparts.kibana_stack.server import KibanaStack
from tests.counterparts.kibana_stack.state import Stack

TRUST = Trust(None, "", None, None)


@dataclass(slots=True)
class Stage:
    """A Kibana, a cluster, and a wish that a test may change; ``slept`` are the pauses that were not waited."""

    kibana: KibanaStack
    cluster: Cluster
    wish: Wish
    slept: list[float]

    @property
    def stack(self) -> Stack:
        """What Kibana knows."""
        return self.kibana.stack

    def part(self, key: str = KEY) -> FleetPart:
        """Fleet as a part of an installation."""
        wire, login = Wire(server(self.kibana.url, "--kibana"), TRUST, timeout=20), api_key(key, "key")
        return FleetPart(Fleet(Api(wire, login, sleep=self._sleep)), Kibana(wire, login), self.cluster, self.wish)

    def plan(self, *, force: bool = False) -> tuple[Change, ...]:
        """What would be done now."""
        return self.part().plan(force=force)

    def install(self, *, force: bool = False) -> tuple[Change, ...]:
        """Do it; what was done."""
        part = self.part()
        changes = part.plan(force=force)
        apply(changes, self.cluster, self.wish.version, kibana=part)
        return tuple(one for one in changes if one.action != "keep")

    def rise(self, built: Built, version: str) -> None:
        """Wish for the same package in another version."""
        self.wish = replace(self.wish, version=version, data=of_version(built, version))

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.stack.uploaded_at = float("-inf")


def of_version(built: Built, version: str) -> bytes:
    """Our package's zip file in another version."""
    manifest = built.files["manifest.yml"].replace(b"version: 0.1.0", f"version: {version}".encode())
    files = {**built.files, "manifest.yml": manifest}
    return zip_file({f"local_llm-{version}/{path}": data for path, data in files.items()})


@pytest.fixture(scope="session")
def built() -> Built:
    """Our package."""
    return build(load())


@pytest.fixture(scope="session", params=VERSIONS)
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """A node of a version, with users, roles and API keys."""
    version, nodes = chosen(request.param), Nodes(security=True)
    yield nodes.get(version)
    nodes.stop()


@pytest.fixture
def key_file(node: Node, tmp_path: Path) -> Path:
    """A file with an API key that has the least that installing needs."""
    return make_key(node, tmp_path)


@pytest.fixture
def stage(node: Node, built: Built, key_file: Path) -> Iterator[Stage]:
    """A stage whose record is gone afterwards."""
    login = api_key(secret_of(key_file, "key"), "key")
    cluster = Cluster(Target((server(node.url, "--elasticsearch"),), login, TRUST))
    with KibanaStack(Stack(upload_pause=0)) as kibana:
        yield Stage(kibana, cluster, Wish("local_llm", "0.1.0", built.data), [])
    cluster.close()
    try:
        node.call("DELETE", f"_component_template/{FLEET}")
    except RefusedError as error:
        assert error.status == 404


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A node's first start may take minutes on a busy machine, and counts as the first test's time."""
    for item in items:
        if "node" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(1200))
