"""Reading one tar header that may say anything. Only what layout/tar.py writes is taken for a header."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundler.layout.tar import BLOCK
from bundler.site.medium import Fault, Medium

_MAX_PAX = 1 << 16
_RECORD = re.compile(rb"(\d{1,6}) (path|size|comment)=")
_OCTAL = re.compile(rb"[0-7]{1,11}\0")


@dataclass(frozen=True, slots=True)
class Found:
    """What a header says: the member's whole name, its size in bytes, and where its data starts."""

    name: str
    size: int
    data: int

    @property
    def next(self) -> int:
        """Where the next header stands."""
        return self.data + self.size + -self.size % BLOCK


def read_header(medium: Medium, position: int) -> Found | Fault | None:
    """The header at ``position``; a Fault when it cannot be read, None when it is none."""
    block = bytearray(BLOCK)
    fault = medium.read(position, memoryview(block))
    if fault:
        return fault
    pax_size = _size(block, b"x")
    if pax_size is None or not 0 < pax_size <= _MAX_PAX:
        return None
    rest = bytearray(pax_size + BLOCK)
    fault = medium.read(position + BLOCK, memoryview(rest))
    if fault:
        return fault
    records = _records(bytes(rest[:pax_size]))
    plain = rest[pax_size:]
    size = _size(plain, b"0")
    if records is None or size is None:
        return None
    try:
        name = records.get(b"path", bytes(plain[:100]).rstrip(b"\0")).decode()
    except UnicodeDecodeError:
        return None
    return Found(name, int(records.get(b"size", b"%d" % size)), position + 2 * BLOCK + pax_size)


def _size(block: bytearray, kind: bytes) -> int | None:
    """The size field of a ustar block of type ``kind``."""
    field = bytes(block[124:136])
    if block[156:157] != kind or block[257:265] != b"ustar\x0000" or not _OCTAL.fullmatch(field):
        return None
    return int(field[:-1], 8)


def _records(data: bytes) -> dict[bytes, bytes] | None:
    """The pax records; None when they are not well formed."""
    found: dict[bytes, bytes] = {}
    while data:
        match = _RECORD.match(data)
        if not match:
            return None
        length = int(match[1])
        if not match.end() < length <= len(data) or data[length - 1 : length] != b"\n":
            return None
        found[match[2]] = data[match.end() : length - 1]
        data = data[length:]
    if not re.fullmatch(rb"\d{1,16}", found.get(b"size", b"0")):
        return None
    return found
