"""sign, in place: a bundle in one file, in volumes, unpacked; and what is refused before a byte is written."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.errors import IntegrityError, MachineError
from bundler.layout.member import MANIFEST, SIGNATURE, SUMS
from bundler.pack.plan import Ingredient, signed
from bundler.site.medium import find
from bundler.site.sign import sign
from bundler.site.unpack import unpack
from bundler.site.verify import verify
from tests.counterparts.mounts import mounted
from tests.layout.strategies import ingredients
from tests.pack.plans import built_in, plan_of
from tests.site.bundles import MIB, small_bundle, small_plan, small_volumes
from tests.site.signing import ALICE, contents, keys, many_members, slots, state, unpacked
from tests.site.test_verify import flip
from tests.trust.stage import key_called

FEW = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def test_signing_changes_the_room_before_the_manifest_and_nothing_else(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    before = bundle.read_bytes()
    done = sign([bundle], ALICE)
    after = bundle.read_bytes()
    assert (done.written, done.by) == ((bundle,), ALICE.public.name)
    assert len(after) == len(before)
    changed = [at for at, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert slots(tmp_path)[SUMS].end <= changed[0]
    assert changed[-1] < slots(tmp_path)[MANIFEST].data
    report = verify([bundle], keys=keys("bob", "alice"))
    assert (report.ok, report.signature, report.signed_by) == (True, "valid", ALICE.public.name)
    assert verify([bundle]).signature == "unchecked"
    assert list(tmp_path.glob("demo-1.0.tar*")) == [bundle]


def test_it_is_the_file_that_a_build_with_this_signature_makes(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "signed")
    sign([bundle], ALICE)
    with find([bundle]) as medium:
        unpacked = unpack(medium, tmp_path / "out", keys=keys("alice"))
    assert unpacked.path
    signature = (unpacked.path / SIGNATURE).read_bytes()
    built = built_in(tmp_path / "built", signed(small_plan(tmp_path), lambda listing: signature))
    assert built.bundle.read_bytes() == bundle.read_bytes()


@given(parts=ingredients(), data=st.data())
@FEW
def test_any_bundle_can_be_signed_and_any_flipped_bit_of_it_is_found(
    tmp_path: Path, parts: tuple[Ingredient, ...], data: st.DataObject
) -> None:
    bundle = built_in(tmp_path, plan_of(parts)).bundle
    sign([bundle], ALICE)
    assert state(bundle, "alice") == ("valid", True)
    arrangement = plan_of(parts).arrangement
    end = next(slot.data for slot in arrangement.slots if slot.member.path == MANIFEST)
    flip(bundle, data.draw(st.integers(0, end - 1)), data.draw(st.integers(0, 7)))
    try:
        assert not verify([bundle], keys=keys("alice")).ok
    except IntegrityError:
        pass


def test_signing_twice_needs_force(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    sign([bundle], key_called("bob"))
    before = bundle.read_bytes()
    with pytest.raises(MachineError, match=r"demo-1.0.tar: is signed already") as caught:
        sign([bundle], ALICE)
    assert "--force" in caught.value.hint
    assert bundle.read_bytes() == before
    sign([bundle], ALICE, force=True)
    assert state(bundle, "alice") == ("valid", True)
    assert state(bundle, "bob") == ("invalid", False)


@pytest.mark.parametrize("length", [0, 8, 72, 512])
def test_force_replaces_signatures_of_all_sizes(tmp_path: Path, length: int) -> None:
    bundle = built_in(tmp_path, signed(small_plan(tmp_path), lambda listing: b"\1" * length)).bundle
    sign([bundle], ALICE, force=True)
    assert state(bundle, "alice") == ("valid", True)


def test_volumes_are_signed_as_they_are_and_their_sums_renewed(tmp_path: Path) -> None:
    volumes = small_volumes(tmp_path)
    before = contents(tmp_path)
    done = sign([volumes[2]], ALICE)
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == {path.name for path in done.written}
    assert [path.name for path in done.written] == ["demo-1.0.tar.001", "demo-1.0.tar.001.sha256"]
    sums = sorted(path.name for path in tmp_path.glob("*.sha256"))
    subprocess.run(["sha256sum", "-c", "--strict", "--quiet", *sums], cwd=tmp_path, check=True)
    assert state(volumes[0], "alice") == ("valid", True)


def test_a_signature_across_two_volumes(tmp_path: Path) -> None:
    volumes = many_members(tmp_path)
    (tmp_path / "demo-1.0.tar.002.sha256").unlink()
    done = sign([volumes[0]], ALICE)
    assert [path.name[-10:] for path in done.written] == [".0.tar.001", ".0.tar.002", "001.sha256"]
    assert not (tmp_path / "demo-1.0.tar.002.sha256").exists()
    subprocess.run(["sha256sum", "-c", "--quiet", "demo-1.0.tar.001.sha256"], cwd=tmp_path, check=True)
    assert state(volumes[0], "alice") == ("valid", True)


def _truncate(folder: Path) -> None:
    os.truncate(folder / "demo-1.0.tar.004", 5)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: flip(folder / "demo-1.0.tar.001", MIB - 1), "demo-1.0.tar.001: is not what"),
        (lambda folder: (folder / "demo-1.0.tar.001.sha256").write_text("x"), "demo-1.0.tar.001: is not what"),
        (lambda folder: flip(folder / "demo-1.0.tar.001", slots(folder)[SUMS].data), "SHA256SUMS"),
        (lambda folder: flip(folder / "demo-1.0.tar.001", slots(folder)[MANIFEST].data + 9), "manifest.json"),
        (lambda folder: flip(folder / "demo-1.0.tar.001", slots(folder)[MANIFEST].start + 700), "is damaged between"),
        (lambda folder: (folder / "demo-1.0.tar.003").unlink(), "demo-1.0.tar.003: the volume is missing"),
        (_truncate, "bytes are missing at the end"),
        (lambda folder: (folder / "demo-1.0.tar.001").unlink(), "demo-1.0.tar.001"),
    ],
)
def test_damage_is_never_signed(tmp_path: Path, damage: Callable[[Path], object], words: str) -> None:
    volumes = small_volumes(tmp_path)
    damage(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(IntegrityError, match=words):
        sign([volumes[1]], ALICE)
    assert contents(tmp_path) == before


def test_a_medium_that_cannot_be_written(tmp_path: Path) -> None:
    small_bundle(tmp_path)
    with mounted("tmpfs", tmp_path / "stick", size=16 << 20) as stick:
        shutil.copy(tmp_path / "demo-1.0.tar", stick)
        subprocess.run(["mount", "-o", "remount,ro", str(stick)], check=True)
        with pytest.raises(MachineError, match="Read-only file system") as caught:
            sign([stick / "demo-1.0.tar"], ALICE)
        subprocess.run(["mount", "-o", "remount,rw", str(stick)], check=True)
        assert [path.name for path in stick.iterdir()] == ["demo-1.0.tar"]
    assert "Sign a copy" in caught.value.hint


def test_a_folder_is_signed_and_checked(tmp_path: Path) -> None:
    root = unpacked(tmp_path)
    assert state(root, "alice") == ("absent", False)
    done = sign([root], ALICE)
    assert done.written == (root / SIGNATURE,)
    assert stat.S_IMODE((root / SIGNATURE).stat().st_mode) == 0o644
    assert state(root, "alice") == ("valid", True)
    assert state(root, "bob") == ("invalid", False)
    with pytest.raises(MachineError, match=r"SHA256SUMS.sig: is there already"):
        sign([root], key_called("bob"))
    sign([root], key_called("bob"), force=True)
    assert state(root, "bob") == ("valid", True)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda root: flip(root / SUMS, 3), "does not match|does not list"),
        (lambda root: flip(root / MANIFEST, 30), r"manifest.json: does not match its line in SHA256SUMS"),
        (lambda root: (root / SUMS).unlink(), r"SHA256SUMS: is not there"),
        (lambda root: (root / SUMS).write_bytes((root / SUMS).read_bytes()[:-1]), "cut off"),
    ],
)
def test_a_damaged_folder_is_not_signed(tmp_path: Path, damage: Callable[[Path], object], words: str) -> None:
    root = unpacked(tmp_path)
    damage(root)
    with pytest.raises(IntegrityError, match=words):
        sign([root], ALICE)
    assert not (root / SIGNATURE).exists()
