"""For all tests: a cache of their own, so that llm-bundle.pex is made once; Elasticsearch nodes, started once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from tests.counterparts.elasticsearch import Nodes

# The same examples in each run of CI, for it is to fail for what was changed; others elsewhere, to find faults.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")


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
