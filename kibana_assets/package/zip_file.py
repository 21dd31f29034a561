"""A zip file whose bytes follow from its members alone, whatever zlib this machine has.

Rules: members lie in path order, with the first time that zip knows (1980-01-01), mode 0644, method Deflate. Deflate is
written as stored blocks: what zlib makes of the same bytes differs between its versions and kin, and a bundle.lock
promises these bytes. Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3 and RFC 1951, 3.2.4.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

_BLOCK: Final = 0xFFFF
_DEFLATE: Final = 8
_NEEDED: Final = 20
_MADE_ON_UNIX: Final = 3 << 8 | _NEEDED
_UTF8: Final = 1 << 11
_DATE: Final = 1 << 5 | 1
_FILE_0644: Final = 0o100644 << 16


def zip_file(files: Mapping[str, bytes]) -> bytes:
    """The zip file of ``files`` (path → bytes)."""
    members, directory = bytearray(), bytearray()
    for path in sorted(files):
        name, data = path.encode(), b"".join(_deflated(files[path]))
        sizes = struct.pack("<III", zlib.crc32(files[path]), len(data), len(files[path]))
        fields = struct.pack("<HHHHH", _NEEDED, _UTF8, _DEFLATE, 0, _DATE) + sizes + struct.pack("<HH", len(name), 0)
        directory += struct.pack("<4sH", b"PK\x01\x02", _MADE_ON_UNIX) + fields
        directory += struct.pack("<HHHII", 0, 0, 0, _FILE_0644, len(members)) + name
        members += b"PK\x03\x04" + fields + name + data
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(files), len(files), len(directory), len(members), 0)
    return bytes(members + directory + end)


def _deflated(data: bytes) -> Iterator[bytes]:
    """Blocks that store ``data``: whether it is the last, its length, and that length's complement."""
    for start in range(0, len(data) or 1, _BLOCK):
        block = data[start : start + _BLOCK]
        yield struct.pack("<BHH", start + _BLOCK >= len(data), len(block), len(block) ^ _BLOCK) + block
