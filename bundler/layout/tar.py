"""POSIX (pax) tar headers that put the data of every member at a multiple of 4,096 bytes.

Each member is a pax extended header (type ``x``), padded by a ``comment`` record to the right length, then a ustar
header, then the data, zero-padded to 512 bytes. Every field is set: none is left to the machine. Two zero blocks
end the archive. Source: IEEE Std 1003.1, pax, "ustar Interchange Format" and "pax Extended Header"
(https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html).
"""

from __future__ import annotations

from typing import Final

BLOCK: Final = 512
ALIGNMENT: Final = 4096
END: Final = bytes(2 * BLOCK)

_PAX_NAME: Final = b"././@PaxHeader"
_NAME_BYTES: Final = 100
_OCTAL_SIZE_LIMIT: Final = 8**11


def padding(size: int) -> int:
    """How many zero bytes follow ``size`` bytes of data."""
    return -size % BLOCK


def header_length(name: str, size: int, position: int) -> int:
    """How many bytes of headers stand at ``position``, a multiple of 512, before the data of ``name``."""
    records = len(_records(name, size))
    data = -(-(position + 3 * BLOCK) // ALIGNMENT) * ALIGNMENT
    while not _fits(records, data - position - 2 * BLOCK):
        data += ALIGNMENT
    return data - position


def header(name: str, size: int, mode: int, mtime: int, length: int) -> bytes:
    """The headers of one member, ``length`` bytes: as many as ``header_length`` says, or more whole blocks.

    ``name`` is the whole path with the top folder, ``size`` in bytes, ``mtime`` in seconds since 1970.
    """
    pax_size = length - 2 * BLOCK
    records = _records(name, size)
    records += _comment(pax_size - len(records))
    short = name.encode("ascii", "replace").replace(b"?", b"_")[-_NAME_BYTES:] if _needs_path(name) else name.encode()
    return (
        _ustar(_PAX_NAME, pax_size, 0o644, mtime, b"x")
        + records
        + _ustar(short, size if size < _OCTAL_SIZE_LIMIT else 0, mode, mtime, b"0")
    )


def _needs_path(name: str) -> bool:
    return not name.isascii() or len(name) > _NAME_BYTES


def _records(name: str, size: int) -> bytes:
    """The pax records that the member needs beside the comment."""
    found = b""
    if _needs_path(name):
        found += _record(b"path", name.encode())
    if size >= _OCTAL_SIZE_LIMIT:
        found += _record(b"size", str(size).encode())
    return found


def _record(key: bytes, value: bytes) -> bytes:
    """``LENGTH key=value\\n``, where LENGTH counts its own digits too."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if length != rest + len(str(length)):
        length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


_SHORTEST_COMMENT: Final = len(b"12 comment=\n")


def _fits(records: int, room: int) -> bool:
    return room - records >= _SHORTEST_COMMENT


def _comment(length: int) -> bytes:
    """A comment record of exactly ``length`` bytes."""
    start = b"%d comment=" % length
    return start + b" " * (length - len(start) - 1) + b"\n"


def _ustar(name: bytes, size: int, mode: int, mtime: int, kind: bytes) -> bytes:
    """One 512-byte ustar block, owned by 0:0 without names."""
    block = bytearray(BLOCK)
    block[0 : len(name)] = name
    block[100:108] = b"%07o\0" % mode
    block[108:116] = block[116:124] = b"0000000\0"
    block[124:136] = b"%011o\0" % size
    block[136:148] = b"%011o\0" % mtime
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[329:337] = block[337:345] = b"0000000\0"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)
