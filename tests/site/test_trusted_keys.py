"""verify and unpack with keys: what none of them signed is refused before it is read, whatever a medium may hold."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bundler.errors import IntegrityError, MachineError
from bundler.layout.member import MANIFEST, SIGNATURE, SUMS
from bundler.pack.plan import signed
from bundler.site.medium import find
from bundler.site.sign import sign
from bundler.site.unpack import unpack
from bundler.site.verify import verify
from tests.pack.plans import built_in
from tests.site.bundles import small_bundle, small_plan
from tests.site.signing import ALICE, keys, slots, state, unpacked
from tests.site.test_verify import flip
from tests.trust.stage import key_called


@pytest.mark.parametrize("part", [SUMS, SIGNATURE])
def test_altered_sums_and_signatures_are_refused_before_anything_is_read(tmp_path: Path, part: str) -> None:
    """The manifest is damaged too, and nothing is said of it."""
    bundle = small_bundle(tmp_path)
    sign([bundle], ALICE)
    with find([bundle]) as medium:
        root = unpack(medium, tmp_path / "out").path
    assert root
    start = bundle.read_bytes().index((root / part).read_bytes())
    flip(bundle, slots(tmp_path)[MANIFEST].data + 5)
    flip(bundle, start + (root / part).stat().st_size // 2)
    flip(root / part, 10)
    for target in (bundle, root):
        report = verify([target], keys=keys("alice"))
        assert (report.signature, report.refused, report.members, report.bytes) == ("invalid", True, 0, 0)
        assert [damage.path for damage in report.damaged] == [SIGNATURE]


def refusals(folder: Path) -> dict[str, Path]:
    """Bundles that Alice did not sign, by what is wrong with them."""
    found = {name: small_bundle(folder / name) for name in ("unsigned", "by bob", "another's signature")}
    sign([found["by bob"]], key_called("bob"))
    signature = ALICE.sign(b"the sums of another bundle")
    for name, stolen in (("another's signature", signature), ("empty", b""), ("noise", b"\1" * 512)):
        plan = signed(small_plan(folder / name), lambda listing, stolen=stolen: stolen)  # type: ignore[misc]
        found[name] = built_in(folder / name, plan).bundle
    return found


def test_what_alice_did_not_sign_is_refused_everywhere_and_leaves_nothing(tmp_path: Path) -> None:
    for name, bundle in refusals(tmp_path).items():
        expected = "absent" if name == "unsigned" else "invalid"
        assert state(bundle, "alice") == (expected, False), name
        assert verify([bundle]).ok, name
        with find([bundle]) as medium:
            done = unpack(medium, tmp_path / "out", keys=keys("alice"))
        assert (done.path, done.report.signature) == (None, expected)
        assert not (tmp_path / "out").exists()
        with find([bundle]) as medium:
            root = unpack(medium, tmp_path / "plain" / name).path
        assert root
        assert state(root, "alice") == (expected, False), name


def test_no_key_at_all_is_no_permission(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    sign([bundle], ALICE)
    assert verify([bundle], keys=()).signature == "invalid"


def test_a_signature_larger_than_its_room_is_refused(tmp_path: Path) -> None:
    plan = signed(small_plan(tmp_path), lambda listing: b"\1" * 513)
    bundle = built_in(tmp_path, plan).bundle
    for given_keys in (None, keys("alice")):
        with pytest.raises(IntegrityError, match="expected at most 512 bytes, its header says 513"):
            verify([bundle], keys=given_keys)
    with pytest.raises(IntegrityError, match="at most 512 bytes"):
        sign([bundle], ALICE, force=True)
    root = tmp_path / "folder"
    subprocess.run(["tar", "-xf", str(bundle), "-C", str(tmp_path)], check=True)
    (tmp_path / "demo-1.0").rename(root)
    with pytest.raises(IntegrityError, match="larger than 512 bytes"):
        verify([root], keys=keys("alice"))


def test_links_in_the_place_of_a_signature(tmp_path: Path) -> None:
    root = unpacked(tmp_path)
    good = tmp_path / "good.sig"
    good.write_bytes(ALICE.sign((root / SUMS).read_bytes()))
    for target in (good, tmp_path / "nowhere", Path("/dev/zero")):
        (root / SIGNATURE).symlink_to(target)
        with pytest.raises(MachineError, match=r"link that is not followed|Too many levels"):
            verify([root], keys=keys("alice"))
        (root / SIGNATURE).unlink()
    (root / SIGNATURE).symlink_to(good)
    before = good.read_bytes()
    sign([root], ALICE, force=True)
    assert good.read_bytes() == before
    assert not (root / SIGNATURE).is_symlink()


@pytest.mark.timeout(20)
def test_what_else_may_lie_in_the_place_of_a_signature(tmp_path: Path) -> None:
    root = unpacked(tmp_path)
    os.mkfifo(root / SIGNATURE)
    assert state(root, "alice") == ("invalid", False)
    (root / SIGNATURE).unlink()
    (root / SIGNATURE).mkdir()
    with pytest.raises(MachineError, match="directory"):
        verify([root], keys=keys("alice"))


def test_nothing_behind_the_signature_is_looked_for(tmp_path: Path) -> None:
    """The bundle ends there, and who has another key does not even hear of that."""
    bundle = small_bundle(tmp_path)
    sign([bundle], ALICE)
    start = bundle.read_bytes().index(f"/{SIGNATURE}".encode(), slots(tmp_path)[SUMS].end)
    os.truncate(bundle, (start // 512 + 2) * 512)
    assert state(bundle, "bob") == ("invalid", False)
    with pytest.raises(IntegrityError, match="ends at byte"):
        verify([bundle], keys=keys("alice"))
