"""build: onto disks that refuse, and over names that are taken."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler import disk
from bundler.digest import Digest
from bundler.errors import MachineError, UsageError
from bundler.layout.member import Member
from bundler.pack.plan import Ingredient
from bundler.pack.target import Target
from bundler.site.verify import verify
from bundler.sources.interface import Url
from tests.counterparts.faulty import FaultyServer, Route
from tests.counterparts.mounts import mounted
from tests.pack.plans import built_in, ingredients_in, plan_of
from tests.pack.stage import BODY, MIB, build_in, fetch, one_member, served


def test_no_space_is_seen_before_the_first_byte(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "small", size=MIB) as small:
        with pytest.raises(MachineError) as caught:
            build_in(one_member(tmp_path / "s", 3 * MIB), small)
        assert "are needed" in caught.value.message
        assert not list(small.glob("*.tar"))


def test_a_disk_that_fills_up_meanwhile_loses_nothing(tmp_path: Path) -> None:
    with FaultyServer() as server, mounted("tmpfs", tmp_path / "small", size=5 * MIB) as small:
        plan = served(server)

        def fill(seen: object) -> Route:
            (small / "other").write_bytes(bytes(3 * MIB))
            return Route(BODY)

        server.routes["/w"] = fill
        with pytest.raises(MachineError, match="No space left on device") as caught:
            fetch(server, small, plan)
        assert "goes on where it stopped" in caught.value.hint
        (small / "other").unlink()
        server.routes["/w"] = Route(BODY)
        assert verify([fetch(server, small, plan).bundle]).ok


def test_fat32_wants_volumes(tmp_path: Path) -> None:
    member = Member("models/m/w", 5 << 30, Digest("0" * 64), "model")
    plan = plan_of([Ingredient(member, Url("https://nowhere.invalid/w"))])
    with mounted("vfat", tmp_path / "stick", size=64 << 20) as stick:
        with pytest.raises(MachineError, match="FAT32 file system cannot hold a file of") as caught:
            build_in(plan, stick)
        assert "--volume-size" in caught.value.hint
        assert verify([build_in(one_member(tmp_path / "s"), stick, MIB).volumes[0]]).ok


def test_fat32_is_known_by_what_the_kernel_says_of_the_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For kernels that cannot mount it: the line of a real mount, with FAT's name in it."""
    lines = Path("/proc/self/mountinfo").read_text()
    kind = disk.file_system(tmp_path)
    assert kind
    written = tmp_path / "mountinfo"
    written.write_text(lines.replace(f" - {kind} ", " - vfat "))
    monkeypatch.setattr(disk, "_MOUNTS", written)
    assert disk.file_system(tmp_path) == "vfat"
    member = Member("models/m/w", 5 << 30, Digest("0" * 64), "model")
    plan = plan_of([Ingredient(member, Url("https://nowhere.invalid/w"))])
    with pytest.raises(MachineError, match="its limit is 4 GiB") as caught:
        build_in(plan, tmp_path)
    assert "--volume-size 4000MB" in caught.value.hint


def test_a_file_system_that_takes_no_file_so_large(tmp_path: Path) -> None:
    """The kernel's EFBIG, by the limit of the process."""
    plan = one_member(tmp_path / "s", 3 * MIB)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MIB, old[1]))
    try:
        with pytest.raises(MachineError, match="File too large") as caught:
            build_in(plan, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert "--volume-size" in caught.value.hint
    assert verify([build_in(plan, tmp_path).bundle]).ok


def test_a_read_only_target(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "ro", size=8 * MIB) as place:
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        with pytest.raises(MachineError, match="Read-only file system"):
            build_in(one_member(tmp_path / "s"), place)


def test_no_permission(tmp_path: Path) -> None:
    place = tmp_path / "closed"
    place.mkdir(mode=0o555)
    plan = one_member(tmp_path / "s")
    if os.geteuid() != 0:
        with pytest.raises(MachineError, match="Permission denied"):
            build_in(plan, place)
        return
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        with pytest.raises(MachineError, match="Permission denied"):
            build_in(plan, place)
    finally:
        os.seteuid(0)


def _folder(path: Path) -> None:
    path.mkdir()


def _file(path: Path) -> None:
    path.write_text("mine")


def _link(path: Path) -> None:
    path.symlink_to("/nowhere/else")


@pytest.mark.parametrize(
    ("make", "words"), [(_folder, "is a folder"), (_file, "is there already"), (_link, "is there already")]
)
def test_a_name_that_is_taken(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    make(tmp_path / "demo-1.0.tar")
    with pytest.raises(MachineError, match=words):
        build_in(one_member(tmp_path / "s"), tmp_path)


def test_a_refusal_leaves_no_trace(tmp_path: Path) -> None:
    _file(tmp_path / "demo-1.0.tar")
    with pytest.raises(MachineError):
        build_in(one_member(tmp_path / "s"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo-1.0.tar", "s"]


def test_fewer_volumes_than_an_older_build_left(tmp_path: Path) -> None:
    """They would be taken for this build's own last volume."""
    plan = one_member(tmp_path / "s", 3 * MIB)
    assert len(build_in(plan, tmp_path, MIB).volumes) == 4
    with pytest.raises(MachineError, match=r"demo-1.0.tar.003: is a volume of another build"):
        build_in(plan, tmp_path, 2 * MIB, force=True)


@pytest.mark.parametrize("renamed", [1, 3])
def test_killed_between_two_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamed: int) -> None:
    """The names that were given are taken back, everything is hashed again, nothing is fetched twice."""
    with FaultyServer() as server:
        plan = served(server)
        server.routes["/w"] = Route(BODY)
        with monkeypatch.context() as patch:
            patch.setattr(Target, "finish", _finish_a_part(renamed))
            with pytest.raises(KeyboardInterrupt):
                fetch(server, tmp_path, plan, volume_size=MIB)
        assert len(list(tmp_path.glob("demo-1.0.tar.00?"))) == renamed
        built = fetch(server, tmp_path, plan, volume_size=MIB)
    assert built.bytes_fetched == 0
    assert verify([built.volumes[0]]).ok


def _finish_a_part(count: int) -> Callable[[Target], None]:
    def finish(target: Target) -> None:
        for final in target.finals[::-1][:count]:
            final.with_name(f"{final.name}.partial").replace(final)
        raise KeyboardInterrupt

    return finish


def test_force_replaces_a_file(tmp_path: Path) -> None:
    _file(tmp_path / "demo-1.0.tar")
    assert verify([build_in(one_member(tmp_path / "s"), tmp_path, force=True).bundle]).ok


def test_a_partial_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("precious")
    (tmp_path / "demo-1.0.tar.partial").symlink_to(mine)
    with pytest.raises(MachineError):
        build_in(one_member(tmp_path / "s"), tmp_path)
    assert mine.read_text() == "precious"


@pytest.mark.parametrize(("volume_size", "words"), [(1000, "at least 1MiB")])
def test_volumes_too_small(tmp_path: Path, volume_size: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build_in(one_member(tmp_path / "s"), tmp_path, volume_size)


def test_too_many_volumes(tmp_path: Path) -> None:
    member = Member("models/m/w", 2000 * MIB, Digest("0" * 64), "model")
    plan = plan_of([Ingredient(member, Url("https://nowhere.invalid/w"))])
    with pytest.raises(UsageError, match="999 are the most"):
        build_in(plan, tmp_path, MIB)


def test_what_a_build_with_another_cut_left_unfinished_goes(tmp_path: Path) -> None:
    """It would take the space of a whole bundle, and nobody would come back to it."""
    left = [tmp_path / f"demo-1.0.tar.{end}partial" for end in ("", "001.", "007.", "300.")]
    other = [tmp_path / name for name in ("demo-1.1.tar.partial", "demo-1.0.tar.x.partial", "demo-1.0.tar.300", "a")]
    for path in (*left, *other):
        path.write_bytes(b"x" * 5000)
    plan = plan_of(ingredients_in(tmp_path / "in", {"m/w": b"w" * 2 * MIB}))
    made = built_in(tmp_path, plan, volume_size=MIB).volumes
    assert len(made) == 3
    assert [path for path in left if path.exists()] == []
    assert all(path.read_bytes() == b"x" * 5000 for path in other)
