"""One run for all tests that look at its documents."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counterparts.elasticsearch import VERSIONS, Node, chosen
from tests.counterparts.restarting import Restarting
from tests.package.end_to_end.run import Interruption, Recorded, record


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where npm's modules are put."""
    return tmp_path_factory.mktemp("modules")


@pytest.fixture
def node(node: Node) -> Node:
    """That of the folder above, but of the first version alone."""
    chosen(next(version for version in VERSIONS if version[0] == node.version[0]))
    return node


@pytest.fixture(scope="session", params=VERSIONS)
def recorded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, modules: Path
) -> Iterator[Recorded]:
    """The run, with a node that is killed in it."""
    if request.param not in os.environ.get("ELASTICSEARCH_VERSIONS", " ".join(VERSIONS)).split():
        pytest.skip(f"ELASTICSEARCH_VERSIONS leaves {request.param} out")
    with Restarting(chosen(request.param)) as elasticsearch:
        interruption = Interruption(elasticsearch.kill, elasticsearch.again)
        yield record(elasticsearch.node(), tmp_path_factory.mktemp("run"), modules, interruption)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The run is made in the time of the first test that asks for it: a minute, several on a busy machine."""
    for item in items:
        if "recorded" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(1200))
