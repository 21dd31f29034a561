"""How far each member of an unfinished build is, in a small file beside it.

A header line names the build (manifest digest and cut); then one 8-byte little-endian count of bytes a member. A
count is written after the bytes that it counts, so it may say too little, never too much, for as long as the machine
itself stays up; after a power cut even that is not sure, which is why a build hashes what it finds again.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from types import TracebackType

from bundler.digest import Digest
from bundler.disk import guarded
from bundler.errors import MachineError

_HEADER = 128
_COUNT = struct.Struct("<Q")
STEP = 8 << 20
"""A count is written each time that this many bytes have been added."""


class Journal:
    """Counts of bytes by member index, kept on disk. Also the lock that keeps a second build away."""

    def __init__(self, path: Path, manifest: Digest, volume_size: int | None, members: int) -> None:
        self.path = path
        self._header = f"llm-bundle build {manifest.hex} {volume_size or 0}\n".encode().ljust(_HEADER)
        self._members = members
        self._descriptor = -1
        self._noted = [0] * members

    def __enter__(self) -> Journal:
        with guarded(self.path, "write"):
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._descriptor)
                self._descriptor = -1
                raise MachineError(
                    f"{self.path}: another build is writing the same bundle",
                    hint="Wait for it to end, or give this one another --output folder.",
                ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor >= 0:
            if not os.fstat(self._descriptor).st_size:
                self.path.unlink(missing_ok=True)  # never begun: leave no trace
            os.close(self._descriptor)
            self._descriptor = -1

    def load(self) -> bool:
        """Read the counts of an earlier run of the very same build. False, and counts of 0, where there was none."""
        size = _HEADER + self._members * _COUNT.size
        with guarded(self.path, "read"):
            data = os.pread(self._descriptor, size + 1, 0)
        if len(data) != size or data[:_HEADER] != self._header:
            return False
        self._noted = [count for (count,) in _COUNT.iter_unpack(data[_HEADER:])]
        return True

    def start(self) -> None:
        """Begin anew: no member has any bytes."""
        with guarded(self.path, "write"):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, self._header + bytes(self._members * _COUNT.size), 0)

    @property
    def begun(self) -> bool:
        """Whether any member has bytes."""
        return any(self._noted)

    def __getitem__(self, index: int) -> int:
        return self._noted[index]

    def note(self, index: int, count: int, *, final: bool = False) -> None:
        """Member ``index`` has ``count`` bytes on disk."""
        if final or count < self._noted[index] or count - self._noted[index] >= STEP:
            self._noted[index] = count
            with guarded(self.path, "write"):
                os.pwrite(self._descriptor, _COUNT.pack(count), _HEADER + index * _COUNT.size)

    def remove(self) -> None:
        """The build is done."""
        with guarded(self.path, "remove"):
            self.path.unlink(missing_ok=True)
