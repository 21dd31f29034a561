"""For all tests: a cache of their own, so that llm-bundle.pex is made once; Elasticsearch nodes, started once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import pytest

from tests.counterparts.elasticsearch import Nodes


@pytest.fixture(scope="session", autouse=True)
def cache() -> Iterator[str]:
    """The folder, also for the programs that tests start."""
    before = os.environ.get("XDG_CACHE_HOME")
    with TemporaryDirectory(prefix="llm-bundle-cache-") as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        yield folder
    os.environ.pop("XDG_CACHE_HOME")
    if before is not None:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[Nodes]:
    """Nodes of both versions, started when a test first asks for one."""
    nodes = Nodes()
    yield nodes
    nodes.stop()
