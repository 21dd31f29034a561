"""The model's files in LM Studio's folder: whose they are, on whose disk, and what may be in the way."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bundler.errors import IntegrityError, MachineError
from bundler.site.lmstudio.record import record_path
from bundler.site.place import Place
from bundler.site.state import Settings
from tests.counterparts.lms import LmStudio
from tests.counterparts.port import free_port
from tests.site.lmstudio.stage import BYTES, EYES, FIRST, MODEL, SECOND, Site

FOLDER = "example/Tiny-0123456789ab"


@pytest.fixture
def other_disk(site: Site) -> Iterator[Path]:
    """LM Studio's models folder on another file system, by LM Studio's own settings."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    (site.lmstudio.home / "settings.json").write_text(f'{{"downloadsFolder": "{folder}"}}')
    if folder.stat().st_dev == site.place.root.stat().st_dev:
        pytest.skip("/dev/shm is no file system of its own here")
    yield folder
    shutil.rmtree(folder)


def foreign(site: Site, name: str, data: bytes) -> Path:
    path = site.lmstudio.home / "models" / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_file_of_somebody_else_is_not_touched(site: Site) -> None:
    path = foreign(site, SECOND, b"GGUF other bytes")
    part = site.part()
    with pytest.raises(MachineError, match=f"{SECOND}: is there with other bytes, and llm-bundle did not") as caught:
        part.prepare()
    assert "left as it is" in caught.value.hint
    part.remove()
    assert path.read_bytes() == b"GGUF other bytes"
    assert site.lmstudio.files() == [f"{FOLDER}/{SECOND}"]


def test_the_same_bytes_of_somebody_else_are_used_and_stay(site: Site) -> None:
    path = foreign(site, FIRST, BYTES[FIRST])
    number = path.stat().st_ino
    part = site.part()
    part.prepare()
    part.start()
    assert part.state().healthy
    part.remove()
    assert site.lmstudio.files() == [f"{FOLDER}/{FIRST}"]
    assert path.stat().st_ino == number


def test_what_was_put_in_place_of_ours_stays(site: Site) -> None:
    part = site.part()
    part.prepare()
    ours = site.lmstudio.home / "models" / FOLDER / FIRST
    ours.unlink()
    ours.write_bytes(b"mine now")
    part.remove()
    assert site.lmstudio.files() == [f"{FOLDER}/{FIRST}"]
    assert ours.read_bytes() == b"mine now"


@pytest.mark.parametrize("make", ["folder", "pipe", "link"])
def test_no_file_in_the_way(site: Site, make: str) -> None:
    path = foreign(site, FIRST, b"")
    path.unlink()
    makers: dict[str, Callable[[], None]] = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to("/etc/passwd"),
    }
    makers[make]()
    part = site.part()
    with pytest.raises(MachineError, match=FIRST):
        part.prepare()
    part.remove()
    assert os.path.lexists(path)


def test_links_inside_the_models_folder_are_not_followed(site: Site, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (site.lmstudio.home / "models" / "example").symlink_to(elsewhere)
    with pytest.raises(MachineError, match=r"Tiny-0123456789ab: cannot make: (Not a directory|Too many levels)"):
        site.part().prepare()
    assert list(elsewhere.iterdir()) == []


def test_copies_on_another_disk(site: Site, other_disk: Path) -> None:
    part = site.part()
    part.prepare()
    folder = other_disk / FOLDER
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == BYTES
    part.prepare()
    part.start()
    assert part.state().healthy
    part.remove()
    assert list(other_disk.iterdir()) == []


def test_a_copy_that_was_cut_is_finished(site: Site, other_disk: Path) -> None:
    """As a kill -9 leaves it: the record written, one file there, the start of another under its own name."""
    part = site.part()
    part.prepare()
    folder = other_disk / FOLDER
    (folder / FIRST).unlink()
    (folder / f".{FIRST}.llm-bundle").write_bytes(b"GG")
    part.prepare()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == BYTES
    (folder / f".{EYES}.llm-bundle").write_bytes(b"GG")
    part.remove()
    assert list(other_disk.iterdir()) == []


def test_a_copy_of_a_damaged_release(site: Site, other_disk: Path) -> None:
    part = site.part()
    (part.release_folder / "models" / MODEL / SECOND).write_bytes(b"GGUF secnd part")
    with pytest.raises(IntegrityError, match=f"{SECOND}: expected sha256:"):
        part.prepare()
    assert not (other_disk / FOLDER / SECOND).exists()
    part.remove()
    assert list(other_disk.iterdir()) == []


def test_a_link_as_a_source(site: Site) -> None:
    part = site.part()
    source = part.release_folder / "models" / MODEL / FIRST
    source.unlink()
    source.symlink_to("/etc/passwd")
    with pytest.raises(IntegrityError, match="is a symbolic link"):
        part.prepare()


def test_a_source_that_is_missing(site: Site) -> None:
    part = site.part()
    (part.release_folder / "models" / MODEL / FIRST).unlink()
    with pytest.raises(MachineError, match=f"{FIRST}: cannot look at: No such file"):
        part.prepare()


def test_the_models_folder_moved(site: Site) -> None:
    part = site.part()
    part.prepare()
    other = site.lmstudio.user_home / "other"
    other.mkdir()
    (site.lmstudio.home / "settings.json").write_text(f'{{"downloadsFolder": "{other}"}}')
    with pytest.raises(MachineError, match=r"its models folder was .*models, now it is .*other"):
        part.prepare()
    part.remove()
    assert site.lmstudio.files() == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"format": "x"}', '{"format": "llm-bundle-lmstudio-files/1", "models": "/x", "folder": "../../etc"}'],
)
def test_a_damaged_record(site: Site, text: str) -> None:
    part = site.part()
    part.prepare()
    record_path(site.place, part.release_folder.name).write_text(text)
    for verb in (part.prepare, part.start, part.stop, part.remove, part.state):
        with pytest.raises(MachineError, match=r"lmstudio\.json: "):
            verb()


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can be another user")
def test_as_another_user() -> None:
    """LM Studio belongs to nobody: it is called as that user, at that user's home, without root's environment."""
    nobody = 65534
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with LmStudio(folder, uid=nobody) as lmstudio, pytest.MonkeyPatch.context() as patch:
            patch.setattr("pwd.getpwnam", _getpwnam(lmstudio.user_home))
            patch.setenv("HF_TOKEN", "hf_secret")
            settings = Settings(lms=str(lmstudio.program), lmstudio_user="nobody")
            part = Site(Place(folder / "root"), lmstudio, free_port()).part(settings=settings)
            part.prepare()
            part.start()
            assert part.state().healthy
            for call in lmstudio.calls:
                assert (call.uid, call.gid, call.cwd) == (nobody, nobody, str(lmstudio.user_home))
                assert 0 not in call.groups
                assert call.environment["HOME"] == str(lmstudio.user_home)
                assert "HF_TOKEN" not in call.environment
            made = lmstudio.home / "models" / FOLDER
            assert {made.stat().st_uid, made.parent.stat().st_uid} == {nobody}
            assert (made / FIRST).stat().st_uid == 0
            part.remove()
            (part.release_folder / "models" / MODEL / FIRST).chmod(0o600)
            with pytest.raises(MachineError, match="nobody may not read it"):
                part.prepare()


def _getpwnam(home: Path) -> object:
    import pwd

    entry = pwd.getpwnam("nobody")
    return lambda name: pwd.struct_passwd((name, *entry[1:5], str(home), entry[6]))
