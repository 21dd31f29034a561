"""The tool is made once, and a cache is never believed without need."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.tool.cache import cached
from bundler.tool.carried import Carried, CarriedFile


def content(version: str) -> Carried:
    return Carried((CarriedFile("a.py", Path("/a.py"), (1, 2, 3, 4)),), (("pex", version),))


class Maker:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, carried: Carried) -> bytes:
        self.asked += 1
        return b"made of " + dict(carried.versions)["pex"].encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "llm-bundle"


def test_the_second_time_it_is_there(folder: Path) -> None:
    make = Maker()
    assert cached(content("1"), make) == cached(content("1"), make) == b"made of 1"
    assert make.asked == 1
    assert cached(content("2"), make) == b"made of 2"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"made of 3"),
        lambda path: path.write_bytes(b""),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
    ],
)
def test_a_damaged_file_is_made_again(folder: Path, damage: Callable[[Path], object]) -> None:
    make = Maker()
    cached(content("1"), make)
    damage(next(folder.iterdir()))
    assert cached(content("1"), make) == b"made of 1"
    assert make.asked == 2


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cached(content("1"), Maker()) == b"made of 1"


def test_few_are_kept(folder: Path) -> None:
    for version in range(7):
        cached(content(str(version)), Maker())
        for path in folder.iterdir():
            os.utime(path, (path.stat().st_mtime - 10, path.stat().st_mtime - 10))
    assert sorted(path.read_bytes()[-1:] for path in folder.iterdir()) == [b"3", b"4", b"5", b"6"]
