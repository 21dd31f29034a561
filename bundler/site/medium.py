"""The bytes of a bundle as they lie on a medium: one file, or volumes of which some may be missing or damaged.

Nothing here believes the medium: a read says how far it came and why it stopped, and never deletes or writes.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final

from bundler.disk import disk_error, is_there
from bundler.errors import MachineError, UsageError
from bundler.layout.volumes import Cut, split_name, volume_name

# What is read at once: small enough to stay in a core's own cache between the read and the hash.
CHUNK: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Fault:
    """Why bytes could not be read: a sentence, and the file's name."""

    volume: str
    reason: str


class Medium:
    """The bytes of one bundle; reads may come from several threads. ``size`` is what the files hold, in bytes."""

    def __init__(self, folder: Path, stem: str, files: dict[int, Path], *, cut: bool) -> None:
        self.folder, self.stem, self.cut = folder, stem, cut
        self._files = files
        self._descriptors: dict[int, int] = {}
        self._sizes: dict[int, int] = {}

    def __enter__(self) -> Medium:
        for number, path in self._files.items():
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                self.__exit__(None, None, None)
                raise disk_error(error, path, "read") from error
            self._descriptors[number] = descriptor
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                self.__exit__(None, None, None)
                raise MachineError(f"{path}: is not a regular file", hint="Name the .tar, or one of its volumes.")
            self._sizes[number] = found.st_size
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])

    @property
    def place(self) -> str:
        """The path that a message names."""
        return str(self.folder / self.stem)

    @cached_property
    def volume_size(self) -> int:
        """The size of every volume but the last: the one that most have, the largest where none is more frequent."""
        counts = Counter(self._sizes.values())
        return max(1, max(counts, key=lambda size: (counts[size], size)))

    @property
    def count(self) -> int:
        """The highest number of a volume that is there; 1 for a single file."""
        return max(self._sizes)

    @property
    def size(self) -> int:
        """Where the last file that is there ends, in bytes from the bundle's start."""
        if not self.cut:
            return self._sizes[1]
        return (self.count - 1) * self.volume_size + min(self.volume_size, self._sizes[self.count])

    def plan(self, total: int) -> Cut:
        """How a bundle of ``total`` bytes would be cut into these files."""
        return Cut(self.stem, total, self.volume_size if self.cut else None)

    def missing(self, total: int) -> tuple[str, ...]:
        """The names of the volumes that are not there, of a bundle of ``total`` bytes."""
        if not self.cut:
            return ()
        last = max(self.count, -(-total // self.volume_size))
        return tuple(volume_name(self.stem, n) for n in range(1, last + 1) if n not in self._sizes)

    def overlong(self) -> Iterator[tuple[str, int]]:
        """The volumes that hold more than they can, and by how many bytes."""
        for number in sorted(self._sizes) if self.cut else ():
            if self._sizes[number] > self.volume_size:
                yield self._name(number), self._sizes[number] - self.volume_size

    def names(self, offset: int, length: int) -> tuple[str, ...]:
        """The names of the files that a range of bytes lies in."""
        pieces = self.plan(self.size).pieces(offset, max(1, length))
        return tuple(dict.fromkeys(self._name(index + 1) for index, _, _ in pieces))

    def path(self, name: str) -> Path:
        """Where the file ``name``, one of ``names``, lies."""
        found = split_name(name) if self.cut else None
        return self._files[found[1] if found else 1]

    def descriptor(self, offset: int, length: int) -> tuple[int, int] | None:
        """(descriptor, offset in it) of a range that lies in one file, else None."""
        pieces = list(self.plan(self.size).pieces(offset, length))
        if len(pieces) != 1 or pieces[0][0] + 1 not in self._descriptors:
            return None
        return self._descriptors[pieces[0][0] + 1], pieces[0][1]

    def read(self, offset: int, buffer: memoryview) -> Fault | None:
        """Fill all of ``buffer`` from ``offset``; what stopped it, or None."""
        for index, at, length in self.plan(self.size).pieces(offset, len(buffer)):
            fault = self._read(index + 1, at, buffer[:length])
            if fault:
                return fault
            buffer = buffer[length:]
        return None

    def _read(self, number: int, at: int, view: memoryview) -> Fault | None:
        name = self._name(number)
        if number not in self._descriptors:
            return Fault(name, "the volume is missing" if self.cut else "the file ends before its time")
        while view:
            try:
                count = os.preadv(self._descriptors[number], [view], at)
            except OSError as error:
                return Fault(name, f"the medium cannot be read at byte {at:,}: {os.strerror(error.errno or 0)}")
            if count == 0:
                return Fault(name, f"ends at byte {min(at, self._sizes[number]):,}, before its time")
            view, at = view[count:], at + count
        return None

    def _name(self, number: int) -> str:
        return volume_name(self.stem, number) if self.cut else self.stem


def find(paths: Sequence[Path]) -> Medium:
    """The medium that ``paths`` mean: one tar, any one of its volumes, or volumes in any order.

    Raises: UsageError when they do not belong together; MachineError when there is nothing.
    """
    # `NAME.tar.*` takes the volumes' sums files along: they are no part of the bundle.
    paths = [path for path in paths if not _is_sums_file(path)] or paths
    numbered = [split_name(path.name) for path in paths]
    first = paths[0]
    if len(paths) == 1 and is_there(first):
        found = numbered[0]
        if found is None or not first.name.endswith(f".tar.{found[1]:03d}"):
            return Medium(first.parent, first.name, {1: first}, cut=False)
    if len(paths) == 1:
        return _siblings(first.parent, numbered[0][0] if numbered[0] else first.name)
    stems = {row[0] for row in numbered if row}
    if len(stems) != 1 or None in numbered:
        raise UsageError(
            "expected one bundle: a .tar, a folder, or volumes .001, .002 … of one name",
            hint="Give them in one call only when they are volumes of one bundle.",
        )
    files = {row[1]: path for row, path in zip(numbered, paths, strict=True) if row}
    if len(files) != len(paths):
        raise UsageError("a volume is given twice")
    return Medium(first.parent, stems.pop(), files, cut=True)


def _is_sums_file(path: Path) -> bool:
    return path.suffix == ".sha256" and split_name(path.stem) is not None


def _siblings(folder: Path, stem: str) -> Medium:
    """The volumes of ``stem`` that lie in ``folder``."""
    try:
        names = [path for path in folder.iterdir() if path.name.startswith(stem)]
    except OSError as error:
        raise disk_error(error, folder, "read") from error
    rows = ((split_name(path.name), path) for path in names)
    files = {row[1]: path for row, path in rows if row and row[0] == stem and row[1] > 0}
    if not files:
        message = f"{folder / stem}: there is no such file, and no volume {volume_name(stem, 1)}"
        raise MachineError(message, hint="Check how the path is written, and that the medium is mounted.")
    return Medium(folder, stem, files, cut=True)
