"""state.json: what was written is read again, and nothing else is believed."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bundler.digest import Digest
from bundler.errors import MachineError
from bundler.layout.manifest import Manifest
from bundler.layout.member import MANIFEST, Member
from bundler.site.place import Place
from bundler.site.releases.link import switch_link
from bundler.site.releases.oddities import Oddity, oddities, strays
from bundler.site.state import MAX_BYTES, Move, Release, Settings, State
from bundler.site.store import StateStore
from tests.counterparts.mounts import mounted

ONE = Release("demo-1.0-0123456789ab", "demo", "1.0", "sha256:" + "0" * 64, 1, 2, "ops.pub (key id 00)")
TWO = Release("demo-1.1-0123456789ab", "demo", "1.1", "sha256:" + "1" * 64, 3, 4)
SETTINGS = Settings(engine="podman", keeper="systemd", http_port=None, addresses=("::",), lmstudio_user="lm")
FULL = State(SETTINGS, (ONE, TWO), TWO.id, ONE.id, 5, Move(None, TWO.id))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def changed(place: Place, *path: str | int, value: Any) -> None:
    """Write FULL with one value of it replaced."""
    document = json.loads(FULL.encode())
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    place.state.write_text(json.dumps(document))


def test_nothing_there_is_an_empty_state(place: Place) -> None:
    assert StateStore(place).read() == State()


@pytest.mark.parametrize("state", [State(), FULL])
def test_what_was_written_is_read(place: Place, state: State) -> None:
    old = os.umask(0)
    try:
        StateStore(place).write(State(current=ONE.id))
        StateStore(place).write(state)
    finally:
        os.umask(old)
    assert StateStore(place).read() == state
    assert place.state.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in place.root.iterdir()] == ["state.json"]


def test_what_killed_writes_left_is_removed(place: Place) -> None:
    (place.root / f".state.json.{os.getpid()}.new").write_text("half")
    (place.root / ".state.json.4711.new").write_text("half")
    (place.root / ".state.json.mine.new").write_text("not ours")
    StateStore(place).write(FULL)
    assert sorted(path.name for path in place.root.iterdir()) == [".state.json.mine.new", "state.json"]


def test_a_full_disk_leaves_the_old_state(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "disk", size=64 << 10) as disk:
        store = StateStore(Place(disk))
        store.write(FULL)
        with suppress(OSError):
            (disk / "filler").write_bytes(bytes(64 << 10))
        with pytest.raises(MachineError, match=r"state\.json: cannot write: No space left on device"):
            store.write(State())
        assert store.read() == FULL
        assert sorted(path.name for path in disk.iterdir()) == ["filler", "state.json"]


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "large", "empty", "not JSON", "a list", "twice", "deep"])
def test_what_is_no_state(place: Place, kind: str) -> None:
    if kind == "link":
        place.state.symlink_to("/etc/passwd")
    elif kind == "folder":
        place.state.mkdir()
    elif kind == "fifo":
        os.mkfifo(place.state)
    elif kind == "large":
        place.state.write_bytes(FULL.encode() + b" " * MAX_BYTES)
    elif kind == "twice":
        place.state.write_text(FULL.encode().decode().replace('"since"', '"current": null, "since"'))
    else:
        texts = {"not JSON": "{", "a list": "[]", "deep": "[" * 100_000}
        place.state.write_text(texts.get(kind, ""))
    with pytest.raises(MachineError, match=r"state\.json"):
        StateStore(place).read()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["format"], "llm-bundle-state/2", "format: expected"),
        (["current"], "../../etc", "current: expected the name of a folder"),
        (["previous"], ".hidden", "previous: expected the name of a folder"),
        (["moving", "source"], "a/b", "moving: source: expected the name of a folder"),
        (["moving", "target"], None, "moving: target: expected a text"),
        (["releases", 0, "id"], "/", r"releases\[0\]: id: expected the name of a folder"),
        (["releases", 0, "id"], "a\nb", r"releases\[0\]: id: expected the name of a folder"),
        (["releases", 0, "id"], TWO.id, "an id stands twice"),
        (["releases", 0, "manifest"], "sha1:00", r"releases\[0\]: manifest: expected a SHA-256 digest"),
        (["releases", 0, "created"], -1, r"releases\[0\]: created: expected a whole number"),
        (["since"], True, "since: expected a whole number"),
        (["settings", "http_port"], 65536, "settings: http_port: expected"),
        (["settings", "engine"], "lxc", "settings: engine: expected docker or podman"),
        (["settings", "colour"], "red", "settings: unknown key 'colour'"),
        (["settings"], None, "settings: expected an object"),
    ],
)
def test_a_value_that_cannot_be(place: Place, path: list[str | int], value: Any, message: str) -> None:
    changed(place, *path, value=value)
    with pytest.raises(MachineError, match=message):
        StateStore(place).read()


def found(place: Place, state: State) -> list[str]:
    return [oddity.found.removeprefix(f"{place.root}/") for oddity in oddities(place, state)]


def installed(place: Place, release: Release) -> Path:
    """A release of one file. Returns: that."""
    data, file = b"12345", place.release(release.id) / "extra" / "weights"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    members = (Member("extra/weights", len(data), Digest.of(data), "extra"),)
    manifest = Manifest(release.name, release.version, "linux/amd64", 0, "test", members)
    (place.release(release.id) / MANIFEST).write_bytes(manifest.encode())
    return file


def test_a_sound_installation_has_no_oddity(place: Place) -> None:
    assert oddities(place, State()) == ()
    files = [installed(place, release) for release in (ONE, TWO)]
    switch_link(place, TWO.id)
    assert oddities(place, FULL) == ()
    harmed = f"releases/{TWO.id}: files of this release are missing, or are not of their size"
    files[1].write_bytes(b"1234")
    assert found(place, FULL) == [harmed]
    files[1].unlink()
    assert found(place, FULL) == [harmed]


def test_where_the_disk_says_something_else(place: Place) -> None:
    installed(place, TWO)
    place.release(ONE.id).symlink_to(TWO.id)
    stray = "demo-0.9-0123456789ab"
    place.release(stray).mkdir()
    (place.releases / f".{stray}.abcdefgh.partial").mkdir()
    (place.releases / "notes").mkdir()
    switch_link(place, TWO.id)
    assert found(place, State(releases=(ONE, TWO), current=ONE.id, previous=stray)) == [
        f"releases/{ONE.id}: the folder of this release is gone",
        f"state.json: the previous release, {stray}, is not among the releases",
        f"current: leads to {TWO.id}, but {ONE.id} serves",
        f"releases/{stray}: lies there, but was not installed to the end",
        f"releases/.{stray}.abcdefgh.partial: was left by a command that was interrupted",
    ]
    assert strays(place, FULL) == (stray,)
    gone = oddities(place, State(releases=(ONE,)))[0]
    assert gone == Oddity(f"{place.release(ONE.id)}: the folder of this release is gone", "Install demo-1.0.tar again.")
