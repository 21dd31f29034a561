"""Reading ranges of local files, and what is said when that fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError, MachineError, SourceError
from bundler.sources.hashing import hash_ranges
from bundler.sources.interface import LocalRange, Url
from bundler.sources.local import LocalSource, read_range, unreadable


def _all(origin: LocalRange, offset: int = 0, step: int = 7) -> bytes:
    reader = LocalSource().open(origin, offset)
    assert reader.offset == offset
    parts = []
    buffer = memoryview(bytearray(step))
    while count := reader.readinto(buffer):
        parts.append(bytes(buffer[:count]))
    reader.close()
    reader.close()
    return b"".join(parts)


def test_reads_the_range_and_nothing_beyond(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(200)))
    origin = LocalRange(path, 50, 100)
    assert _all(origin) == bytes(range(50, 150))
    assert _all(origin, 30, 1000) == bytes(range(80, 150))
    assert _all(origin, 100) == b""
    assert _all(LocalRange(path, 200, 0)) == b""
    assert read_range(origin, 100, "here") == bytes(range(50, 150))
    with pytest.raises(SourceError, match="here: expected at most 99 bytes, found 100"):
        read_range(origin, 99, "here")


def test_a_file_that_is_too_short_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    with pytest.raises(IntegrityError, match="expected at least 12 bytes, found 10") as caught:
        LocalSource().open(LocalRange(path, 2, 10), 0)
    assert str(path) in caught.value.message and "llm-bundle lock" in caught.value.hint
    with pytest.raises(IntegrityError, match="expected at least 12 bytes, found 10"):
        read_range(LocalRange(path, 2, 10), 10, "here")


def test_a_file_that_becomes_shorter_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    reader = LocalSource().open(LocalRange(path, 0, 100), 0)
    assert reader.readinto(memoryview(bytearray(60))) == 60
    os.truncate(path, 60)
    with pytest.raises(IntegrityError, match="expected at least 100 bytes, found 60"):
        reader.readinto(memoryview(bytearray(60)))
    reader.close()


def test_only_plain_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("link", "symbolic link"), ("pipe", "plain file"), (".", "plain file")):
        with pytest.raises(SourceError, match=words):
            LocalSource().open(LocalRange(tmp_path / name, 0, 0), 0)
    with pytest.raises(SourceError, match="no such file"):
        LocalSource().open(LocalRange(tmp_path / "gone", 0, 1), 0)
    with pytest.raises(TypeError):
        LocalSource().open(Url("https://example.org/"), 0)


def test_a_disk_that_fails() -> None:
    """/proc/self/mem answers EIO at address 0: a real read error without a broken disk."""
    with pytest.raises(MachineError, match="the disk or share failed while reading"):
        read_range(LocalRange(Path("/proc/self/mem"), 0, 10), 10, "memory")


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").touch(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root may read everything
        with pytest.raises(MachineError, match="permission denied"):
            LocalSource().open(LocalRange(tmp_path / "file", 0, 0), 0)
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.EACCES, MachineError, "may not read it"),
        (errno.ENOENT, SourceError, "no such file"),
        (errno.EIO, MachineError, "disk or share failed"),
        (errno.ESTALE, MachineError, "disk or share failed"),
        (errno.EMFILE, MachineError, "Too many open files"),
    ],
)
def test_each_failure_has_its_sentence(number: int, kind: type[Exception], words: str) -> None:
    error = unreadable(Path("model/x.safetensors"), OSError(number, os.strerror(number)))
    assert type(error) is kind and error.hint
    assert error.message.startswith("model/x.safetensors: ") and words in error.message


class _Counting:
    """A progress that adds up what it is told."""

    def __init__(self) -> None:
        self.total = self.done = self.ended = 0

    def begin(self, title: str, total: int) -> None:
        self.total = total

    def advance(self, count: int) -> None:
        self.done += count

    def say(self, text: str) -> None: ...

    def end(self) -> None:
        self.ended += 1


def test_hashing_tells_its_progress(tmp_path: Path) -> None:
    origins = []
    for index in range(5):
        (tmp_path / f"{index}").write_bytes(bytes([index]) * index * 700_000)
        origins.append(LocalRange(tmp_path / f"{index}", index, index * 690_000))
    progress = _Counting()
    found = hash_ranges(origins, "hashing", progress)
    assert found == {o: Digest.of(o.path.read_bytes()[o.start : o.start + o.size]) for o in origins}
    assert progress.total == progress.done == 10 * 690_000 and progress.ended == 1


def test_hashing_refuses_a_file_that_changes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)

    class Writer(_Counting):
        def advance(self, count: int) -> None:
            with path.open("ab") as file:
                file.write(b"more")

    progress = Writer()
    with pytest.raises(IntegrityError, match="changed while it was read"):
        hash_ranges([LocalRange(path, 0, 100)], "hashing", progress)
    assert progress.ended == 1


def test_one_that_fails_stops_the_others(tmp_path: Path) -> None:
    big, gone = tmp_path / "big", tmp_path / "gone"
    with big.open("wb") as file:
        file.truncate(1 << 40)  # an hour of hashing, if it were not stopped
    with pytest.raises(SourceError, match="gone: no such file"):
        hash_ranges([LocalRange(big, 0, 1 << 40), LocalRange(gone, 0, 1)], "hashing")
