"""What is shared with containers: whose it is, and that nobody's link is followed on the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.site.engines.interface import EngineInfo
from bundler.site.parts.folders import hand_over, make_folder, write_if_new
from bundler.site.parts.keys import engine_key, write_upstream_key
from bundler.site.parts.runner import Runner, runner
from bundler.site.place import Place
from bundler.site.tokens import change
from bundler.site.tokens.store import TokenStore

ROOTFUL = EngineInfo("docker", "28", "overlay2", "/var/lib/docker", False, "x86_64")
ROOTLESS = EngineInfo("podman", "5", "overlay", "/home/anna", True, "x86_64")


@pytest.fixture
def nobody() -> Runner:
    if os.geteuid():
        pytest.skip("only root can give files away: sudo make test")
    return runner(ROOTFUL)


def test_as_whom_containers_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "getegid", lambda: 0)
    assert runner(ROOTFUL) == Runner("65532:65532", 65532, 65532)
    assert runner(ROOTFUL, low_ports=True) == Runner("0:0", 0, 0)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 100)
    assert runner(ROOTFUL, low_ports=True) == Runner("1000:100", 1000, 100)
    assert runner(ROOTLESS) == Runner("0:0", 1000, 100)


def test_a_folder_is_handed_over_and_what_comes_later_is_too(tmp_path: Path, nobody: Runner) -> None:
    store = TokenStore(tmp_path)
    change.new(store, "first")
    hand_over(store.include.parent, nobody)
    assert described(store.include) == described(store.include.parent, 0o600) == (65532, 0o600)
    assert described(store.include.parent) == (65532, 0o700)
    change.new(store, "second")
    assert described(store.include) == (65532, 0o600)
    assert described(store.path) == (0, 0o600)


def described(path: Path, mode: int | None = None) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, stat.S_IMODE(found.st_mode) if mode is None else mode


def test_no_link_is_followed(tmp_path: Path) -> None:
    me = Runner("x", os.geteuid(), os.getegid())
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.write_text("x")
    outside.chmod(0o644)
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    with pytest.raises(MachineError, match=r"link: cannot give away: .*symbolic links"):
        hand_over(folder, me)
    assert described(outside)[1] == 0o644
    (folder / "link").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(MachineError, match="expected a file, found something else"):
        hand_over(folder, me)
    (tmp_path / "other").symlink_to(folder)
    with pytest.raises(MachineError, match="other: cannot make"):
        make_folder(tmp_path / "other", 0o700)


def test_what_holds_the_same_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert write_if_new(path, "one", 0o600)
    before = path.stat().st_ino
    assert not write_if_new(path, "one", 0o600)
    assert path.stat().st_ino == before
    assert write_if_new(path, "two", 0o600)
    assert path.read_text() == "two"


def test_the_engines_key_is_made_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    key = engine_key(place)
    assert len(key) == 43
    assert engine_key(place) == key
    assert described(place.engine_env)[1] == 0o600
    make_folder(place.proxy_secrets, 0o700)
    assert write_upstream_key(place)
    assert f'"Bearer {key}"' in (place.proxy_secrets / "upstream.conf").read_text()
    assert not write_upstream_key(place)
    place.engine_env.write_text("VLLM_API_KEY=short secret\n")
    with pytest.raises(MachineError, match="expected a line VLLM_API_KEY=") as caught:
        engine_key(place)
    assert "short" not in caught.value.message
