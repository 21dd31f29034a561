"""A few bytes from the middle of an origin, for look-ups: the headers of weights, mostly."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from bundler.errors import SourceError
from bundler.progress import SILENT, Progress
from bundler.sources.interface import Origin, Reader, Source
from bundler.sources.retry import retrying

_MOST_SKIPPED: Final = 64 << 20


def read_piece(source: Source, origin: Origin, start: int, length: int, *, progress: Progress = SILENT) -> bytes:
    """Exactly ``length`` bytes of ``origin`` from ``start`` on. Raises: SourceError when they cannot be had."""

    def attempt() -> bytes:
        with closing(source.open(origin, start)) as reader:
            return piece(reader, start, length, str(origin))

    return retrying(attempt, progress=progress) if length else b""


def piece(reader: Reader, start: int, length: int, where: str) -> bytes:
    """``length`` bytes at ``start`` of what ``reader`` reads; a server without ranges is read from its beginning."""
    skip = start - reader.offset
    if skip > _MOST_SKIPPED:
        raise SourceError(f"{where}: the server sends no ranges", hint="Ask its operator, or use another mirror.")
    data = bytearray(skip + length)
    filled = 0
    while filled < len(data) and (count := reader.readinto(memoryview(data)[filled:])):
        filled += count
    if filled < len(data):
        raise SourceError(f"{where}: expected {start + length} bytes, found {reader.offset + filled}")
    return bytes(data[skip:])
