"""Releases on real file systems: full ones, those that share blocks, those that do not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.site.folder import verify_folder
from bundler.site.place import Place
from bundler.site.releases.usage import disk_of
from tests.counterparts.mounts import mounted
from tests.pack.stage import Heard
from tests.site.releases.stage import NEW, OLD, WEIGHTS, add, added, bundle_of, listing

MIB = 1 << 20
LARGE = {"org/m/model.safetensors": WEIGHTS * 4}
LARGER = {**LARGE, "org/m/more.bin": b"\x05" * (3 * MIB)}


class Filler(Heard):
    """Takes the rest of the disk when the first bytes are through."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._file = folder / "filler"

    def advance(self, count: int) -> None:
        if not self._file.exists():
            free = os.statvfs(self._file.parent)
            self._file.write_bytes(b"x" * max(0, free.f_bavail * free.f_frsize - 600_000))


def used(disk: Path) -> int:
    os.sync()
    found = os.statvfs(disk)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def test_too_little_space_is_said_before_anything_is_written(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, LARGE)
    with mounted("tmpfs", tmp_path / "disk", size=3 * MIB) as disk:
        place = Place(disk / "site")
        with pytest.raises(MachineError, match=r"4\.2 MB are needed, 3\.1 MB are free"):
            add(place, bundle)
        assert listing(place.releases) == []


def test_a_disk_that_fills_up_meanwhile(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, LARGE)
    with mounted("tmpfs", tmp_path / "disk", size=8 * MIB) as disk:
        place = Place(disk / "site")
        with pytest.raises(MachineError, match="cannot write: No space left on device"):
            add(place, bundle, Filler(disk))
        assert listing(place.releases) == []
        (disk / "filler").unlink()
        assert add(place, bundle).new


def test_only_what_will_be_written_needs_space(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "disk", size=8 * MIB) as disk:
        place = Place(disk / "site")
        added(place, bundle_of(tmp_path, LARGE))
        done = add(place, bundle_of(tmp_path, LARGER, "1.1"))  # 7 MB, of which 4 are there
        assert done.release and done.linked > 4 * MIB


def test_what_turns_out_damaged_needs_space_after_all(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "disk", size=8 * MIB) as disk:
        place = Place(disk / "site")
        old = added(place, bundle_of(tmp_path, LARGE))
        weights = place.release(old.id) / "models/org/m/model.safetensors"
        weights.chmod(0o644)
        weights.write_bytes(bytes(len(WEIGHTS) * 4))
        weights.chmod(0o444)
        with pytest.raises(MachineError, match="are needed"):
            add(place, bundle_of(tmp_path, LARGER, "1.1"))
        assert listing(place.releases) == [old.id]


@pytest.mark.parametrize(("kind", "most"), [("xfs", 0.4), ("btrfs", 0.4), ("ext4", 1.1)])
def test_what_a_release_takes_beside_its_bundle(tmp_path: Path, kind: str, most: float) -> None:
    """Blocks shared with the bundle on the same disk where that can be; on ext4 one copy."""
    with mounted(kind, tmp_path / "disk", size=400 * MIB) as disk:
        place = Place(disk / "site")
        bundle = bundle_of(disk, LARGE)
        before = used(disk)
        done = add(place, bundle)
        assert done.release and done.shared == (kind != "ext4")
        assert used(disk) - before < most * 4 * MIB
        assert verify_folder(place.release(done.release.id)).ok
        before = used(disk)
        assert add(place, bundle_of(tmp_path, LARGER, "1.1")).linked > 4 * MIB  # from another disk
        assert used(disk) - before < 3.5 * MIB


def test_a_shared_file_counts_once(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    old = added(place, bundle_of(tmp_path, OLD))
    (alone,) = disk_of(place).releases
    assert alone.bytes == alone.own > len(WEIGHTS)
    new = added(place, bundle_of(tmp_path, NEW, "1.1"))
    disk = disk_of(place)
    first, second = disk.releases
    assert (first.id, second.id) == (old.id, new.id)
    assert first.bytes == alone.bytes
    assert first.own <= first.bytes - len(WEIGHTS)
    assert 300_000 < second.own < 400_000
    assert disk.total == first.own + second.bytes
    assert 0 < disk.free < os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize
