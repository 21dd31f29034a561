"""The lock names the tool's bytes, and build puts no others into the bundle."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.cli.main import call
from bundler.digest import Digest
from bundler.lock.file import read_lock, write_lock
from bundler.lock.model import LockedTool
from bundler.tool.site_tool import site_tool
from examples.tiny.inputs import make_inputs
from tests.tool.conftest import TINY, Medium

OTHER = Digest.of(b"another tool")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    make_inputs(folder / "inputs")
    assert call(["lock", "-q", str(shutil.copy(TINY, folder))]) == 0
    return folder


def refusal(desk: Path, capsys: pytest.CaptureFixture[str], tool: LockedTool) -> dict[str, object]:
    """What build says of a lock with another tool."""
    write_lock(desk / "other.lock", replace(read_lock(desk / "bundle.lock"), site_tool=tool))
    shutil.copy(desk / "bundle.yml", desk / "other.yml")
    capsys.readouterr()
    assert call(["build", "--json", str(desk / "other.yml"), "-o", str(desk)]) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert isinstance(error, dict)
    assert list(desk.glob("*.tar*")) == []
    return error


def test_the_lock_names_it(desk: Path) -> None:
    made, locked = site_tool(), read_lock(desk / "bundle.lock").site_tool
    assert (locked.size, locked.digest, locked.versions) == (len(made.data), made.digest, dict(made.versions))


def test_the_bundle_holds_it(medium: Medium) -> None:
    assert medium.tool.read_bytes() == site_tool().data
    assert medium.tool.stat().st_mode & 0o777 == 0o755


def test_other_versions_are_named(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = dict(site_tool().versions)
    error = refusal(desk, capsys, LockedTool(len(site_tool().data), OTHER, {**here, "click": "8.0.1", "gone": "1"}))
    assert str(error["message"]).startswith(f"bundle.lock: llm-bundle.pex: expected {OTHER}, but this machine makes ")
    assert f"click is {here['click']} here, 8.0.1 there; gone is absent here, 1 there" in str(error["message"])
    assert "pip install click==8.0.1 gone==1." in str(error["hint"])
    assert "llm-bundle lock --update" in str(error["hint"])


def test_other_bytes_of_the_same_versions(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refusal(desk, capsys, LockedTool(len(site_tool().data), OTHER, dict(site_tool().versions)))
    assert "the versions are the same, so some file of them differs" in str(error["message"])
    assert "lock --update" in str(error["hint"])


def test_a_wrong_size_alone_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refusal(desk, capsys, LockedTool(9, site_tool().digest, dict(site_tool().versions)))
