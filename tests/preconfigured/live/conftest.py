from __future__ import annotations

from pathlib import Path

import pytest

from tests.counterparts.certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A private CA."""
    folder: Path = tmp_path_factory.mktemp("ca")
    return Authority(folder)
