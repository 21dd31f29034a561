"""For all tests: one cache of their own, so that llm-bundle.pex is made once and the user's cache is left alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import pytest


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
