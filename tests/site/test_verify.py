"""verify: whatever is changed is found and named, on a tar, on volumes and in a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.errors import BundleError, IntegrityError, MachineError, UsageError
from bundler.layout.member import MANIFEST, SUMS
from bundler.pack.plan import Ingredient
from bundler.site.report import Report
from bundler.site.verify import verify
from tests.layout.strategies import ingredients
from tests.pack.plans import built_in, plan_of
from tests.site.bundles import MIB, small_bundle, small_plan, small_volumes

FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def paths(report: Report) -> set[str]:
    return {damage.path for damage in report.damaged}


def flip(path: Path, offset: int, bit: int = 0) -> None:
    """Change one bit."""
    with path.open("r+b") as file:
        file.seek(offset)
        old = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([old ^ (1 << bit)]))


def found_bad(target: Path) -> bool:
    """Whether verify refuses ``target``, by report or by error."""
    try:
        return not verify([target]).ok
    except IntegrityError:
        return True


def test_a_good_bundle_is_good(tmp_path: Path) -> None:
    report = verify([small_bundle(tmp_path)])
    assert report.ok
    assert report.signature == "absent"
    assert report.members == 8
    plan = small_plan(tmp_path)
    assert report.bytes == sum(slot.member.size for slot in plan.arrangement.slots)
    assert report.manifest_digest == plan.manifest_digest


@given(parts=ingredients(), data=st.data())
@FEW
def test_any_flipped_bit_is_found(tmp_path: Path, parts: tuple[Ingredient, ...], data: st.DataObject) -> None:
    bundle = built_in(tmp_path, plan_of(parts)).bundle
    assert verify([bundle]).ok
    offset = data.draw(st.integers(0, bundle.stat().st_size - 1))
    flip(bundle, offset, data.draw(st.integers(0, 7)))
    assert found_bad(bundle)


def test_every_flipped_byte_of_a_whole_bundle_is_found(tmp_path: Path) -> None:
    """Exhaustive over headers, padding, sums and manifest: a byte of each stretch of 61."""
    bundle = built_in(tmp_path, plan_of([])).bundle
    for offset in range(0, bundle.stat().st_size, 61):
        flip(bundle, offset, offset % 8)
        assert found_bad(bundle), offset
        flip(bundle, offset, offset % 8)
    assert verify([bundle]).ok


def test_a_damaged_member_is_named_and_only_that(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    for slot in small_plan(tmp_path).arrangement.slots[3:]:
        if slot.member.size:
            flip(bundle, slot.data + slot.member.size - 1)
            report = verify([bundle])
            assert paths(report) == {slot.member.path}
            assert report.damaged[0].volume is None
            assert "expected sha256:" in report.damaged[0].reason
            flip(bundle, slot.data + slot.member.size - 1)


def test_a_changed_header_is_named(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    slot = small_plan(tmp_path).arrangement.slots[-1]
    flip(bundle, slot.data - 512 + 100 + 5)  # the mode field
    report = verify([bundle])
    assert paths(report) == {slot.member.path}
    assert "its header or padding is changed at byte" in report.damaged[0].reason


def test_truncation_and_trailing_data(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    size = bundle.stat().st_size
    with bundle.open("ab") as file:
        file.write(b"x")
    assert [(d.path, d.reason.partition(":")[0]) for d in verify([bundle]).damaged] == [
        (bundle.name, "1 bytes too many")
    ]
    os.truncate(bundle, size - 1)
    assert "1 bytes are missing at the end" in verify([bundle]).damaged[0].reason
    os.truncate(bundle, size // 2)
    report = verify([bundle])
    assert "models/org/m/tokenizer.json" in paths(report)
    assert not report.ok


@pytest.mark.parametrize("part", [SUMS, MANIFEST])
def test_a_damaged_list_is_named_and_the_rest_is_still_checked(tmp_path: Path, part: str) -> None:
    bundle = small_bundle(tmp_path)
    slots = {slot.member.path: slot for slot in small_plan(tmp_path).arrangement.slots}
    target = slots["models/org/m/model-00002.safetensors"]
    flip(bundle, target.data)
    where = slots[part].data + slots[part].member.size // 2
    flip(bundle, where)
    found = paths(verify([bundle]))
    assert target.member.path in found
    assert found & {SUMS, MANIFEST}


def test_volumes_in_any_order_and_by_any_one(tmp_path: Path) -> None:
    volumes = small_volumes(tmp_path)
    assert len(volumes) == 4
    everything = sorted(tmp_path.glob("demo-1.0.tar.*"))  # as a shell has it: the sums files too
    assert len(everything) == 8
    for given_paths in ([volumes[2]], volumes[::-1], everything, [tmp_path / "demo-1.0.tar"]):
        assert verify(given_paths).ok
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", *(f"{v.name}.sha256" for v in volumes)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_volumes_joined_by_cat_are_the_bundle(tmp_path: Path) -> None:
    joined = b"".join(path.read_bytes() for path in small_volumes(tmp_path / "v"))
    assert joined == small_bundle(tmp_path / "t").read_bytes()


def test_a_missing_volume_is_named_with_what_lies_in_it(tmp_path: Path) -> None:
    volumes = small_volumes(tmp_path)
    for missing in (1, 2, 3):
        hidden = volumes[missing].rename(tmp_path / "hidden")
        report = verify([volumes[0]])
        rows = {(d.volume, d.reason) for d in report.damaged if d.path == "demo-1.0.tar"}
        assert (volumes[missing].name, "the volume is missing") in rows
        assert {d.volume for d in report.damaged} == {volumes[missing].name}
        hidden.rename(volumes[missing])


def test_without_the_first_volume_it_says_so(tmp_path: Path) -> None:
    volumes = small_volumes(tmp_path)
    volumes[0].unlink()
    with pytest.raises(IntegrityError, match=r"missing volumes: demo-1.0.tar.001"):
        verify([volumes[1]])


@pytest.mark.parametrize("with_sums", [True, False])
def test_damage_in_a_volume_is_named_by_its_file(tmp_path: Path, with_sums: bool) -> None:
    """The first shard lies in volumes 1 to 3: their own sums tell in which of them the damage is."""
    volumes = small_volumes(tmp_path)
    if not with_sums:
        for path in tmp_path.glob("*.sha256"):
            path.unlink()
    flip(volumes[1], 4711)
    report = verify([volumes[0]])
    assert paths(report) == {"models/org/m/model-00001.safetensors"}
    expected = {volumes[1].name} if with_sums else {v.name for v in volumes[:3]}
    assert {d.volume for d in report.damaged} == expected
    assert all(path.exists() for path in volumes)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_truncated_volume_is_named(tmp_path: Path, index: int) -> None:
    volumes = small_volumes(tmp_path)
    os.truncate(volumes[index], MIB - 100)
    report = verify([volumes[0]])
    assert volumes[index].name in {d.volume for d in report.damaged}
    assert all("ends at byte" in d.reason for d in report.damaged)


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_a_volume_that_is_too_long_is_named_and_the_others_stay_good(tmp_path: Path, index: int) -> None:
    volumes = small_volumes(tmp_path)
    with volumes[index].open("ab") as file:
        file.write(b"x" * (MIB if index == 3 else 1))
    report = verify([volumes[0]])
    assert {d.volume for d in report.damaged} == {volumes[index].name}
    assert all("too many" in d.reason for d in report.damaged)


def test_an_exchanged_first_volume_is_named(tmp_path: Path) -> None:
    volumes = small_volumes(tmp_path)
    volumes[0].write_bytes(volumes[1].read_bytes())
    with pytest.raises(IntegrityError, match=r"demo-1\.0\.tar\.001: no header of a bundle at byte 0"):
        verify([volumes[2]])


def test_volumes_of_two_bundles_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected one bundle"):
        verify([tmp_path / "a.tar.001", tmp_path / "b.tar.002"])


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no such file"):
        verify([tmp_path / "nothing.tar"])


@pytest.mark.parametrize("data", [b"", b"\0" * 10_000, b"PK\x03\x04" * 1000, b"ustar\x0000" * 500])
def test_a_file_that_is_no_bundle(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    with pytest.raises(IntegrityError):
        verify([path])


@given(st.binary(max_size=3000), st.integers(0, 4096))
@FEW
def test_noise_never_raises_anything_else(tmp_path: Path, noise: bytes, at: int) -> None:
    bundle = tmp_path / "noisy.tar"
    shutil.copy(_template(tmp_path), bundle)
    with bundle.open("r+b") as file:
        file.seek(at)
        file.write(noise)
    try:
        verify([bundle])
    except BundleError:
        pass


def _template(folder: Path) -> Path:
    bundle = folder / "demo-1.0.tar"
    return bundle if bundle.exists() else small_bundle(folder)


def unpacked(folder: Path) -> Path:
    """The small bundle as GNU tar unpacks it."""
    bundle = small_bundle(folder)
    subprocess.run(["tar", "-xf", str(bundle), "-C", str(folder)], check=True)
    return folder / "demo-1.0"


def _symlink(root: Path) -> None:
    target = root / "models/org/m/tokenizer.json"
    kept = target.rename(root.parent / "kept")
    target.symlink_to(kept)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (lambda root: (root / "README.md").write_text("other"), "README.md", "expected sha256"),
        (lambda root: (root / "models/org/m/empty").unlink(), "models/org/m/empty", "is missing"),
        (lambda root: (root / "models/new").write_text("x"), "models/new", "is additional"),
        (_symlink, "models/org/m/tokenizer.json", "is a link"),
        (lambda root: (root / "elsewhere").symlink_to("/etc"), "elsewhere", "is additional"),
        (lambda root: os.mkfifo(root / "models/pipe"), "models/pipe", "is additional"),
        (lambda root: (root / MANIFEST).write_text("{}"), MANIFEST, "expected sha256"),
    ],
)
def test_a_folder(tmp_path: Path, change: Callable[[Path], object], path: str, words: str) -> None:
    root = unpacked(tmp_path)
    assert verify([root]).ok
    change(root)
    report = verify([root])
    assert [(d.path, words in d.reason) for d in report.damaged] == [(path, True)]


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="SHA256SUMS: is not there"):
        verify([tmp_path])
