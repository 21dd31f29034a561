"""A node of each version, with the package's pipelines."""

from __future__ import annotations

import pytest

from kibana_assets.package.streams import streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import VERSIONS, Node, Nodes
from tests.package.simulate import install


@pytest.fixture(scope="session", params=VERSIONS)
def node(request: pytest.FixtureRequest, elasticsearch: Nodes) -> Node:
    """A node, with all pipelines."""
    node = elasticsearch.get(request.param)
    for stream in streams(load()):
        install(node, stream)
    return node


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A node's first start may take minutes on a busy machine, and counts as the first test's time."""
    for item in items:
        if "node" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(1200))
