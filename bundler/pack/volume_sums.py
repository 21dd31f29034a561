"""The sums file of each volume, ``NAME.tar.001.sha256`` and so on, for ``sha256sum -c`` on the medium itself.

Members arrive in no order, so a volume is hashed from the page cache as soon as the last member in it is there.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from bundler.crew import Stopped, Task
from bundler.disk import write_whole
from bundler.errors import MachineError
from bundler.layout.arrangement import Slot
from bundler.pack.target import Target


class VolumeSums:
    """Counts for each volume the members that are still missing; does nothing for a bundle in one file."""

    def __init__(self, target: Target, stop: threading.Event) -> None:
        self._target, self._cut, self._stop = target, target.cut, stop
        self._count = len(target.cut.names) if target.cut.volume_size else 0
        self._missing = [0] * self._count
        self._digests: dict[int, str] = {}
        self._lock = threading.Lock()

    def ready(self, pending: Iterable[Slot]) -> Iterator[Task]:
        """Take note of the members to come; the tasks for the volumes that need none of them."""
        for slot in pending:
            for index in self._touched(slot):
                self._missing[index] += 1
        return (self._task(index) for index, missing in enumerate(self._missing) if missing == 0)

    def done(self, slot: Slot) -> list[Task]:
        """A member is whole: the tasks for the volumes that are whole with it."""
        with self._lock:
            touched = list(self._touched(slot))
            for index in touched:
                self._missing[index] -= 1
            return [self._task(index) for index in touched if self._missing[index] == 0]

    def write(self, folder: Path) -> None:
        """Write the sums files. Raises: MachineError."""
        for index, digest in sorted(self._digests.items()):
            name = self._cut.names[index]
            write_whole(folder / f"{name}.sha256", f"{digest}  {name}\n".encode())

    def _touched(self, slot: Slot) -> Iterable[int]:
        if not self._count or not slot.member.size:
            return ()
        return dict.fromkeys(index for index, _, _ in self._cut.pieces(slot.data, slot.member.size))

    def _task(self, index: int) -> Task:
        def run(buffer: memoryview) -> Iterable[Task]:
            self._digests[index] = self._hash(index, buffer)
            return ()

        return run

    def _hash(self, index: int, buffer: memoryview) -> str:
        digest = hashlib.sha256()
        at = index * (self._cut.volume_size or 0)
        end = at + self._cut.size_of(index)
        while at < end:
            if self._stop.is_set():
                raise Stopped
            view = buffer[: min(len(buffer), end - at)]
            if self._target.read(at, view) < len(view):
                raise MachineError(f"{self._cut.names[index]}: ends before its time", hint="Was it changed meanwhile?")
            digest.update(view)
            at += len(view)
        return digest.hexdigest()
