"""add_release: a bundle becomes a release; whole or not at all, and no byte is written that is there already."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.layout.manifest import Manifest
from bundler.layout.member import Member
from bundler.site.folder import verify_folder
from bundler.site.place import Place
from bundler.site.releases.names import release_id
from tests.pack.stage import Heard
from tests.site.releases.stage import NEW, OLD, WEIGHTS, add, added, bundle_of, inodes, listing
from tests.site.signing import keys
from tests.site.test_verify import flip

MODEL = "models/org/m/model.safetensors"
RENAMED = "models/org/m/renamed.safetensors"


def offset_of(bundle: Path, data: bytes) -> int:
    return bundle.read_bytes().index(data)


def test_a_release_is_whole_read_only_and_named_by_its_manifest(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    old = os.umask(0o077)
    try:
        done = add(place, bundle_of(tmp_path, OLD))
    finally:
        os.umask(old)
    assert done.release and done.new and done.report.ok and done.report.signature == "absent"
    folder = place.release(done.release.id)
    digest = Digest.of((folder / "manifest.json").read_bytes())
    assert done.release.id == f"demo-1.0-{digest.short}"
    assert done.release.manifest == str(digest)
    assert listing(place.releases) == [done.release.id]
    assert (folder / MODEL).read_bytes() == WEIGHTS
    assert {p.stat().st_mode & 0o777 for p in folder.rglob("*") if p.is_file()} == {0o444}
    assert {p.stat().st_mode & 0o777 for p in (place.root, place.releases, folder, folder / "models/org")} == {0o755}


def test_the_same_bundle_again_is_not_written_again(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    bundle = bundle_of(tmp_path, OLD)
    release = added(place, bundle)
    before = inodes(place.release(release.id))
    again = add(place, bundle)
    assert (again.release, again.new, again.report.ok) == (release, False, True)
    assert again.report.members == 6
    assert inodes(place.release(release.id)) == before


def test_a_release_that_no_run_recorded_is_hashed_and_kept(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    bundle = bundle_of(tmp_path, OLD)
    first = add(place, bundle).release
    assert first
    before = inodes(place.release(first.id))
    again = add(place, bundle)
    assert again.release and again.release.id == first.id
    assert not again.new and again.report.ok
    assert inodes(place.release(first.id)) == before


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("defect", ["missing", "truncated", "a link", "no folder"])
def test_a_release_that_is_not_whole_is_replaced(tmp_path: Path, recorded: bool, defect: str) -> None:
    place = Place(tmp_path / "site")
    bundle = bundle_of(tmp_path, OLD)
    release = added(place, bundle) if recorded else add(place, bundle).release
    assert release
    folder = place.release(release.id)
    victim = folder / "models/org/m/gone.json"
    if defect == "no folder":
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
    elif defect == "truncated":
        os.truncate(victim, 1)
    else:
        victim.unlink()
        if defect == "a link":
            victim.symlink_to("config.json")
    done = add(place, bundle)
    assert done.new and done.release and done.release.id == release.id
    assert not folder.is_symlink() and verify_folder(folder).ok
    assert listing(place.releases) == [release.id]


def test_an_unrecorded_release_with_a_flipped_bit_is_replaced(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    bundle = bundle_of(tmp_path, OLD)
    release = add(place, bundle).release
    assert release
    flip(place.release(release.id) / MODEL, 4711)
    heard = Heard()
    assert add(place, bundle, heard).new
    assert verify_folder(place.release(release.id)).ok
    assert heard.said and MODEL in heard.said[0] and "no longer what was installed" in heard.said[0]


def test_an_upgrade_shares_what_is_there_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    old = added(place, bundle_of(tmp_path, OLD))
    weights = place.release(old.id) / MODEL
    before = weights.stat()
    done = add(place, bundle_of(tmp_path, NEW, "1.1"))
    assert done.release
    same = place.release(done.release.id) / RENAMED
    after = same.stat()
    assert after.st_ino == before.st_ino and after.st_nlink == 2
    assert (after.st_mtime_ns, after.st_mode) == (before.st_mtime_ns, before.st_mode)
    assert done.linked == len(WEIGHTS) + len(b"read me\n")
    assert verify_folder(place.release(done.release.id)).ok and verify_folder(place.release(old.id)).ok


@pytest.mark.parametrize("defect", ["bit", "size", "link", "mode"])
def test_what_cannot_be_trusted_is_not_shared(tmp_path: Path, defect: str) -> None:
    place = Place(tmp_path / "site")
    old = added(place, bundle_of(tmp_path, OLD))
    weights = place.release(old.id) / MODEL
    if defect == "bit":
        flip(weights, 99)
    elif defect == "size":
        os.truncate(weights, 100)
    elif defect == "link":
        weights.rename(tmp_path / "moved")
        weights.symlink_to(tmp_path / "moved")
    else:
        weights.chmod(0o644)
    before = weights.read_bytes()
    heard = Heard()
    done = add(place, bundle_of(tmp_path, NEW, "1.1"), heard)
    assert done.release
    same = place.release(done.release.id) / RENAMED
    assert same.stat().st_nlink == 1 and not same.is_symlink() and same.read_bytes() == WEIGHTS
    assert weights.read_bytes() == before  # what is damaged stays as it is
    assert bool(heard.said) == (defect in ("bit", "size"))
    assert heard.done == done.report.bytes
    assert verify_folder(place.release(done.release.id)).ok


def test_a_damaged_bundle_leaves_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    old = added(place, bundle_of(tmp_path, OLD))
    bundle = bundle_of(tmp_path, NEW, "1.1")
    flip(bundle, offset_of(bundle, NEW["org/m/more.bin"]) + 1000)
    done = add(place, bundle)
    assert done.release is None
    assert [damage.path for damage in done.report.damaged] == ["models/org/m/more.bin"]
    assert listing(place.releases) == [old.id]
    assert (place.release(old.id) / MODEL).stat().st_nlink == 1


def test_a_damaged_bundle_does_not_touch_the_release_it_should_replace(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    bundle = bundle_of(tmp_path, OLD)
    release = added(place, bundle)
    (place.release(release.id) / "models/org/m/gone.json").unlink()
    before = inodes(place.release(release.id))
    flip(bundle, offset_of(bundle, b"read me\n"))
    (place.release(release.id) / "README.md").chmod(0o600)  # else it would be taken from there
    assert add(place, bundle).release is None
    assert inodes(place.release(release.id)) == before
    assert listing(place.releases) == [release.id]


def test_a_bundle_that_nobody_trusted_signed_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    done = add(place, bundle_of(tmp_path, OLD), keys=keys("alice"))
    assert done.release is None and done.report.refused
    assert listing(place.root) == [".lock"]


@pytest.mark.parametrize("name", [".hidden", "-rf", "a b", "a:b", "a,b", "ä", "x" * 65, "$(id)", "UPPER"])
def test_names_that_no_bundle_has(name: str) -> None:
    member = Member("README.md", 0, Digest.of(b""), "readme")
    manifest = Manifest(name, "1.0", "linux/amd64", 0, "0", (member,))
    with pytest.raises(IntegrityError, match="expected a name and version of letters"):
        release_id(manifest, Digest.of(b""))


def test_a_bundle_with_such_a_name_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    with pytest.raises(IntegrityError, match=re.escape("'a:b-1.0'")):
        add(place, bundle_of(tmp_path, OLD, name="a:b"))
    assert listing(place.root) == [".lock"]


def test_only_our_own_leftovers_are_removed(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    release = added(place, bundle_of(tmp_path, OLD))
    ours = [f".{release.id}.abcd_123.partial", f".{release.id}.00000000.removed"]
    others = ["notes", ".demo.partial", f".{release.id}.short.partial", f"{release.id}.abcd_123.partial", ".snapshot"]
    for name in [*ours, *others]:
        (place.releases / name).mkdir()
        (place.releases / name / "file").write_text("x")
    target = tmp_path / "target"
    target.mkdir()
    (target / "precious").write_text("x")
    (place.releases / ours[0] / "out").symlink_to(target)
    (place.releases / f".{release.id}.linklink.partial").symlink_to(target)
    add(place, bundle_of(tmp_path, NEW, "1.1"))
    left = [name for name in listing(place.releases) if not re.fullmatch(r"demo-1\.[01]-[0-9a-f]{12}", name)]
    assert left == sorted(others)
    assert (target / "precious").exists()
