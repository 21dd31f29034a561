"""Releases leave: links are not followed, what is read-only goes, what is not ours stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bundler.errors import MachineError
from bundler.site.folder import verify_folder
from bundler.site.place import Place
from bundler.site.releases.remove import remove_release_folder
from tests.site.releases.stage import NEW, OLD, add, added, bundle_of, listing

ROOT = Path(__file__).parent.parent.parent.parent
ID = "demo-1.0-0123456789ab"


def test_one_of_two_that_share_files(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    old = added(place, bundle_of(tmp_path, OLD))
    new = added(place, bundle_of(tmp_path, NEW, "1.1"))
    remove_release_folder(place, old.id)
    assert listing(place.releases) == [new.id]
    assert verify_folder(place.release(new.id)).ok


def test_what_is_not_there(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    remove_release_folder(place, ID)
    assert not place.root.exists()


_AS_NOBODY = """
import os, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from bundler.site.place import Place
from bundler.site.releases.remove import remove_release_folder
os.setgroups([]), os.setgid(65534), os.setuid(65534)
remove_release_folder(Place(Path(sys.argv[1])), sys.argv[2])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_folders_that_nobody_may_write_also_without_root() -> None:
    with TemporaryDirectory() as folder:  # pytest's own is closed to other users
        place = Place(Path(folder))
        inner = place.release(ID) / "models" / "m"
        inner.mkdir(parents=True)
        (inner / "file").write_text("x")
        for path in [place.root, *place.root.rglob("*")]:
            os.chown(path, 65534, 65534)
        for path in (inner / "file", inner, inner.parent):
            path.chmod(0o000)
        subprocess.run([sys.executable, "-c", _AS_NOBODY, folder, ID], check=True, cwd=ROOT)
        assert listing(place.releases) == []


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_link_in_its_place_goes_and_its_target_stays(tmp_path: Path, kind: str) -> None:
    place = Place(tmp_path / "site")
    place.releases.mkdir(parents=True)
    target = tmp_path / "target"
    if kind == "folder":
        target.mkdir(mode=0o755)
    else:
        target.write_text("x")
    mode = target.stat().st_mode
    place.release(ID).symlink_to(target)
    remove_release_folder(place, ID)
    assert listing(place.releases) == []
    assert target.stat().st_mode == mode


def test_links_inside_are_not_followed(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    target = tmp_path / "target"
    target.mkdir(mode=0o750)
    (target / "precious").write_text("x")
    place.release(ID).mkdir(parents=True)
    (place.release(ID) / "out").symlink_to(target)
    remove_release_folder(place, ID)
    assert listing(target) == ["precious"]
    assert target.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc", "demo", f"{ID}/..", f"../{ID}", f".{ID}", f"{ID}\n"])
def test_names_that_are_no_release(tmp_path: Path, name: str) -> None:
    place = Place(tmp_path / "site")
    place.releases.mkdir(parents=True)
    (place.root / "precious").write_text("x")
    with pytest.raises(MachineError, match="is not the name of a release"):
        remove_release_folder(place, name)
    assert listing(place.root) == ["precious", "releases"]


def test_other_names_are_no_known_data(tmp_path: Path) -> None:
    """A folder that is no release of ours lends no file, and stays."""
    place = Place(tmp_path / "site")
    bundle = bundle_of(tmp_path, OLD)
    release = added(place, bundle)
    place.release(release.id).rename(place.releases / "copy of mine")
    done = add(place, bundle)
    assert done.new and done.linked == 0
    assert listing(place.releases) == ["copy of mine", release.id]
