"""A site for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.site.place import Place
from tests.counterparts.lms import LmStudio
from tests.counterparts.port import free_port
from tests.site.lmstudio.stage import Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """LM Studio of the user that runs the tests."""
    with LmStudio(tmp_path) as lmstudio:
        monkeypatch.setenv("HOME", str(lmstudio.user_home))
        root = tmp_path / "root"
        root.mkdir()
        yield Site(Place(root), lmstudio, free_port())
