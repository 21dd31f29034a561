"""A secure node of each version, and a stage on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets.stage import Stage, staged
from tests.counterparts.elasticsearch import VERSIONS, Node, Nodes


@pytest.fixture(scope="session")
def secured() -> Iterator[Nodes]:
    """Nodes with users, roles and API keys."""
    nodes = Nodes(security=True)
    yield nodes
    nodes.stop()


@pytest.fixture(scope="session", params=VERSIONS)
def node(request: pytest.FixtureRequest, secured: Nodes) -> Node:
    """A secure node of a version."""
    return secured.get(request.param)


@pytest.fixture
def stage(node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Stage]:
    """A stage on the node."""
    with staged(node, tmp_path, capsys) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A node's first start may take minutes on a busy machine, and counts as the first test's time."""
    for item in items:
        if "node" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(1200))
