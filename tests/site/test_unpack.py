"""unpack: the same files as tar makes, verified, and never anything outside its folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.site.medium import find
from bundler.site.unpack import Unpacked, unpack
from bundler.site.verify import verify
from tests.counterparts.mounts import mounted
from tests.site.bundles import FILES, small_bundle, small_plan, small_volumes
from tests.site.test_verify import flip


def unpack_to(bundle: Path, folder: Path) -> Unpacked:
    with find([bundle]) as medium:
        return unpack(medium, folder)


def tree(root: Path) -> dict[str, tuple[int, float, bytes]]:
    """Everything below ``root``: mode, time and content."""
    return {
        path.relative_to(root).as_posix(): (path.stat().st_mode, path.stat().st_mtime, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def strict_umask() -> Iterator[None]:
    old = os.umask(0o077)
    yield
    os.umask(old)


@pytest.mark.usefixtures("strict_umask")
def test_the_same_as_tar_whatever_the_umask(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    done = unpack_to(bundle, tmp_path / "ours")
    assert done.path == tmp_path / "ours" / "demo-1.0"
    (tmp_path / "tars").mkdir()
    subprocess.run(["tar", "-xpf", str(bundle), "-C", str(tmp_path / "tars")], check=True)
    assert tree(tmp_path / "ours") == tree(tmp_path / "tars")
    assert (done.path / "models/org").stat().st_mode & 0o777 == 0o755
    assert verify([done.path]).ok


def test_volumes_are_unpacked_as_they_are(tmp_path: Path) -> None:
    done = unpack_to(small_volumes(tmp_path)[2], tmp_path / "out")
    assert done.path
    assert (done.path / "models/org/m/config.json").read_bytes() == FILES["org/m/config.json"]


def test_damage_leaves_nothing_behind(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    slot = small_plan(tmp_path).arrangement.slots[-1]
    flip(bundle, slot.data)
    out = tmp_path / "out"
    done = unpack_to(bundle, out)
    assert done.path is None
    assert [d.path for d in done.report.damaged] == [slot.member.path]
    assert list(out.iterdir()) == []


def test_a_changed_header_counts_too(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    flip(bundle, small_plan(tmp_path).arrangement.slots[-1].data - 400)
    assert unpack_to(bundle, tmp_path / "out").path is None


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_name_that_is_taken(tmp_path: Path, kind: str) -> None:
    bundle = small_bundle(tmp_path)
    taken = tmp_path / "demo-1.0"
    if kind == "folder":
        taken.mkdir()
    elif kind == "file":
        taken.write_text("mine")
    else:
        taken.symlink_to("/nowhere")
    with pytest.raises(MachineError, match=r"demo-1.0: is there already"):
        unpack_to(bundle, tmp_path)


def test_no_space(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with mounted("tmpfs", tmp_path / "small", size=1 << 20) as small, pytest.raises(MachineError) as caught:
        unpack_to(bundle, small)
    assert "are needed" in caught.value.message


@pytest.mark.parametrize("kind", ["xfs", "btrfs"])
def test_blocks_are_shared_where_the_file_system_can(tmp_path: Path, kind: str) -> None:
    with mounted(kind, tmp_path / "disk", size=400 << 20) as disk:
        bundle = small_bundle(disk)
        os.sync()
        before = os.statvfs(disk).f_bavail
        done = unpack_to(bundle, disk / "out")
        os.sync()
        used = (before - os.statvfs(disk).f_bavail) * os.statvfs(disk).f_frsize
        assert done.shared
        assert done.path
        assert verify([done.path]).ok
        assert used < 1 << 20  # of 3.6 MB of payload
