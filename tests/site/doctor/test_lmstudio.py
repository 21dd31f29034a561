"""LM Studio in the doctor's table."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.layout.manifest import Manifest
from bundler.layout.member import Member
from bundler.site.doctor import lmstudio
from bundler.site.doctor.interface import Wish
from bundler.site.doctor.lmstudio import check_lmstudio
from tests.counterparts.lms import LmStudio

D = Digest("0" * 64)


def members(*paths: str) -> tuple[Member, ...]:
    return tuple(Member(path, 3 * 10**9, D, "config") for path in paths)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[LmStudio, Wish]]:
    manifest = Manifest("a", "1", "linux/amd64", 0, "0", members("config/lmstudio.json", "models/a/b.gguf"), ())
    with LmStudio(tmp_path) as found:
        monkeypatch.setenv("HOME", str(found.user_home))
        yield found, Wish(tmp_path / "root", manifest=manifest, lms=str(found.program))


def test_all_is_well(here: tuple[LmStudio, Wish]) -> None:
    program, models = check_lmstudio(here[1])
    assert (program.check, program.state) == ("LM Studio", "ok")
    assert program.found.startswith("lms 0.0.47, as user ")
    assert (models.state, models.found) == ("ok", f"{here[0].home}/models, by hard links")
    assert [call.line for call in here[0].calls] == ["version --json"]


def test_it_is_not_there(here: tuple[LmStudio, Wish]) -> None:
    (row,) = check_lmstudio(replace(here[1], lms="no-such-lms"))
    assert (row.state, row.check) == ("block", "LM Studio")
    assert "the program no-such-lms is not there" in row.found
    assert "llm-bundle never brings it" in row.fix


def test_no_such_user(here: tuple[LmStudio, Wish]) -> None:
    (row,) = check_lmstudio(replace(here[1], lmstudio_user="no-such-user"))
    assert (row.state, row.found) == ("block", "LM Studio: there is no user 'no-such-user' here")


def test_it_was_never_started(here: tuple[LmStudio, Wish]) -> None:
    shutil.rmtree(here[0].home)
    (_, row) = check_lmstudio(here[1])
    assert (row.state, row.check) == ("block", "LM Studio")
    assert "start it once" in row.fix


@pytest.mark.parametrize("said", ["banner \x1b[31m", "[]", '{"version": 1}', "[" * 100_000])
def test_it_says_no_version(here: tuple[LmStudio, Wish], said: str) -> None:
    here[0].behave(say={"version": said})
    row = next(iter(check_lmstudio(here[1])))
    assert row.state == "warn"
    assert "does not say its version" in row.found
    assert row.found.isprintable()


def test_it_hangs(here: tuple[LmStudio, Wish], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmstudio, "_SECONDS", 0.3)
    here[0].behave(hang=["version"])
    (row,) = check_lmstudio(here[1])
    assert (row.state, "did not end after 0.3 s" in row.found) == ("block", True)


def test_the_model_would_be_copied(here: tuple[LmStudio, Wish]) -> None:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        if folder.stat().st_dev == here[0].home.stat().st_dev:
            pytest.skip("/dev/shm is no file system of its own here")
        (here[0].home / "settings.json").write_text(f'{{"downloadsFolder": "{folder}"}}')
        row = list(check_lmstudio(here[1]))[-1]
    finally:
        os.rmdir(folder)  # noqa: PTH106 (as it was made)
    assert (row.state, row.found) == ("warn", f"{folder}, on another disk than {here[1].root}")
    assert "The model (3.0 GB) will be copied" in row.fix


def test_not_for_other_bundles(here: tuple[LmStudio, Wish]) -> None:
    assert here[1].manifest
    other = replace(here[1].manifest, members=members("config/serve.json"))
    assert list(check_lmstudio(replace(here[1], manifest=other))) == []
    assert list(check_lmstudio(replace(here[1], manifest=None))) == []
