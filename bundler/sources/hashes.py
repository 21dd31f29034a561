"""SHA-256 and SHA-512 of an origin that only its own bytes can vouch for: read once, and kept nowhere.

Rules: as a build does it, a cut line is continued where it broke, a server without ranges is begun again, and only
new ground counts as success.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from bundler.digest import Digest
from bundler.errors import TransientError
from bundler.progress import SILENT, Progress
from bundler.sources.interface import Origin, Source
from bundler.sources.retry import Backoff

_BUFFER: Final = 1 << 20
_HEAD: Final = 512


@dataclass(frozen=True, slots=True)
class Hashes:
    """Both digests, the second in hexadecimal digits, and the first 512 bytes."""

    sha256: Digest
    sha512: str
    head: bytes


def hash_origin(
    source: Source,
    origin: Origin,
    size: int,
    where: str,
    *,
    progress: Progress = SILENT,
    backoff: Backoff | None = None,
) -> Hashes:
    """Read the ``size`` bytes of ``origin``; ``where`` names it in messages. Raises: SourceError."""
    found = _Hashing(progress.advance)
    backoff = backoff or Backoff(progress=progress)
    furthest = 0
    progress.begin(f"reading {where}", size)
    try:
        while found.done < size:
            try:
                _read(source, origin, size, where, found)
            except TransientError as error:
                if found.done > furthest:
                    furthest = found.done
                    backoff.reset()
                backoff.wait(error)
    finally:
        progress.end()
    return found.hashes


def _read(source: Source, origin: Origin, size: int, where: str, found: _Hashing) -> None:
    buffer = memoryview(bytearray(min(_BUFFER, size)))
    with closing(source.open(origin, found.done)) as reader:
        if reader.offset != found.done:
            found.restart()
        while found.done < size:
            count = reader.readinto(buffer[: min(len(buffer), size - found.done)])
            if not count:
                raise TransientError(f"{where}: the source ended at byte {found.done:,} of {size:,}")
            found.take(buffer[:count])


class _Hashing:
    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self.done = 0
        self._sha256, self._sha512, self._head = hashlib.sha256(), hashlib.sha512(), b""

    def take(self, view: memoryview) -> None:
        self._sha256.update(view)
        self._sha512.update(view)
        if len(self._head) < _HEAD:
            self._head += bytes(view[: _HEAD - len(self._head)])
        self.done += len(view)
        self._advance(len(view))

    def restart(self) -> None:
        self._advance(-self.done)
        self.done = 0
        self._sha256, self._sha512, self._head = hashlib.sha256(), hashlib.sha512(), b""

    @property
    def hashes(self) -> Hashes:
        return Hashes(Digest(self._sha256.hexdigest()), self._sha512.hexdigest(), self._head)
