"""holding: one process at a time, told apart by name, whatever became of the one before."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.site.holding import holding
from bundler.site.place import Place
from tests.counterparts.mounts import mounted

ROOT = Path(__file__).parent.parent.parent
_CHILD = """
import sys
from pathlib import Path
from bundler.site.holding import holding
from bundler.site.place import Place
with holding(Place(Path(sys.argv[1])), "llm-bundle install"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another(place: Place) -> Iterator[subprocess.Popen[str]]:
    """A process that holds it."""
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(place.root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_at_once_and_told_who_holds_it(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    with another(place) as process:
        with pytest.raises(MachineError) as caught, holding(place, "prune"):
            pytest.fail("two at once")
        expected = f"{place.root}: llm-bundle install (process {process.pid}) is changing this installation"
        assert caught.value.message == expected
        process.kill()
        process.wait()
        with holding(place, "prune"):  # the killed one's text stands there still, and means nothing
            assert place.lock.read_text().endswith(" prune\n")


def test_it_ends_with_an_error_too(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    with pytest.raises(ValueError, match="mine"), holding(place):
        raise ValueError("mine")
    with holding(place):
        pass


def test_the_lock_file_may_be_removed_while_it_is_held(tmp_path: Path) -> None:
    """As uninstall does: whoever comes next makes a new one, and two still cannot hold it."""
    place = Place(tmp_path / "site")
    with another(place):
        place.lock.unlink()
        with holding(place), pytest.raises(MachineError, match="is changing"), holding(place):
            pytest.fail("two at once")


_LATE = """
import fcntl, os, sys
from pathlib import Path
from bundler.site.holding import holding
from bundler.site.place import Place
place = Place(Path(sys.argv[1]))
calls = []
def uninstall(event, arguments):
    if event == "fcntl.flock" and not calls:
        calls.append(event)
        place.lock.unlink()
        place.lock.touch()
sys.addaudithook(uninstall)
with holding(place):
    with place.lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("held by one", len(calls))
"""


def test_a_lock_on_a_file_that_was_removed_meanwhile_is_none(tmp_path: Path) -> None:
    """Opened before an uninstall took the file away, locked after it."""
    command = [sys.executable, "-c", _LATE, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("held by one 1\n", "")


def test_a_full_disk_is_no_obstacle_for_what_makes_room_there(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "disk", size=64 << 10) as disk:
        place = Place(disk / "site")
        place.root.mkdir()
        place.lock.touch()
        with suppress(OSError):
            (disk / "filler").write_bytes(bytes(64 << 10))
        with holding(place, "prune"), pytest.raises(MachineError, match="is changing"), holding(place):
            pytest.fail("two at once")


@pytest.mark.parametrize("text", ["", "x" * 5000, "12 \x1b[31mred\n", "999999999999 prune\n", "1\n2 prune\n"])
def test_a_text_that_is_not_ours_is_not_repeated(tmp_path: Path, text: str) -> None:
    place = Place(tmp_path / "site")
    with holding(place):
        place.lock.write_text(text)
        with pytest.raises(MachineError, match=r"site: another process is changing"), holding(place):
            pytest.fail("two at once")


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "precious").write_text("mine")
    place.lock.symlink_to(tmp_path / "precious")
    with pytest.raises(MachineError, match=r"\.lock: cannot lock"), holding(place):
        pytest.fail("held")
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_file_where_the_folder_must_be(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("")
    with pytest.raises(MachineError, match="Not a directory"), holding(Place(tmp_path / "site")):
        pytest.fail("held")


def test_a_folder_where_others_may_write_is_none_for_us(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(MachineError, match="everybody may write there") as caught, holding(Place(tmp_path)):
        pytest.fail("held")
    assert f"chmod o-w {tmp_path}" in caught.value.hint
    assert not Place(tmp_path).lock.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away needs root")
def test_a_folder_of_another_user_is_none_for_us(tmp_path: Path) -> None:
    """Its owner could have put a link to /etc where we make ``releases``."""
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(MachineError, match=r"belongs to another user \(number 65534\)"), holding(Place(tmp_path)):
        pytest.fail("held")
    assert not Place(tmp_path).lock.exists()
