"""Which files are ours: by the first line, and by what follows it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.serving.nginx.render import MARK
from bundler.site.nginx.seal import look, put, seal, tidy

TEXT = f"{MARK}. Changes by hand are lost with the next install.\nserver {{}}\n"


def test_what_was_written_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "llm-bundle.conf"
    put(look(path).require_ours(), seal("a-1.0+x_y", TEXT))
    found = look(path)
    assert (found.kind, found.release) == ("ours", "a-1.0+x_y")
    text = path.read_text()
    assert "Changes by hand" not in text, "two first lines that say different things"
    assert text.endswith("\nserver {}\n")
    put(found.require_ours(), None)
    assert (look(path).kind, list(tmp_path.iterdir())) == ("absent", [])


@pytest.mark.parametrize("place", [0, 5, 30, 70, -1])
def test_any_change_is_seen(tmp_path: Path, place: int) -> None:
    path = tmp_path / "x"
    data = bytearray(seal("a-1", TEXT))
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(MachineError, match="is left as it is") as caught:
        look(path).require_ours()
    assert str(path) in caught.value.hint


def test_a_change_of_the_release_in_the_first_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(seal("a-1", TEXT).replace(b"a-1", b"a-2"))
    assert (look(path).kind, look(path).release) == ("edited", "a-2")


@pytest.mark.parametrize("more", ["\n", " ", "# a line\n"])
def test_something_behind_is_an_edit(tmp_path: Path, more: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(seal("a-1", TEXT) + more.encode())
    assert (look(path).kind, look(path).release) == ("edited", "a-1")


def test_links_folders_and_pipes_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / "ours").write_bytes(seal("a-1", TEXT))
    (tmp_path / "link").symlink_to("ours")
    (tmp_path / "nowhere").symlink_to("nothing")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "nowhere", "folder", "pipe"):
        assert look(tmp_path / name).kind == "foreign"
        with pytest.raises(MachineError, match="was not written by llm-bundle"):
            look(tmp_path / name).require_ours()


def test_what_a_killed_write_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (
        ".llm-bundle.conf.123.new",
        ".other.conf.123.new",
        "llm-bundle.conf.123.new",
        ".llm-bundle.conf.x.new",
    ):
        (tmp_path / name).write_text("")
    tidy(tmp_path / "llm-bundle.conf")
    assert len(list(tmp_path.iterdir())) == 3
    tidy(tmp_path / "no" / "folder")
