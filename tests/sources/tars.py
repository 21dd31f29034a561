"""Tar archives for the tests, made header by header so that they can be as wrong as wanted."""

from __future__ import annotations

import struct


def header(
    name: str | bytes,
    size: int = 0,
    kind: bytes = b"0",
    target: str = "",
    size_field: bytes = b"",
    prefix: str = "",
) -> bytes:
    """One ustar header block with a right checksum; ``size_field`` stands as it is when given."""
    raw = name if isinstance(name, bytes) else name.encode()
    block = struct.pack(
        "100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12x",
        raw,
        b"0000644\0",
        b"0000000\0",
        b"0000000\0",
        size_field or b"%011o\0" % size,
        b"00000000000\0",
        b" " * 8,
        kind,
        target.encode(),
        b"ustar\0",
        b"00",
        b"",
        b"",
        b"0000000\0",
        b"0000000\0",
        prefix.encode(),
    )
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def entry(name: str | bytes, data: bytes = b"", kind: bytes = b"0", target: str = "") -> bytes:
    """A header with its data, padded to whole blocks."""
    return header(name, len(data), kind, target) + data + bytes(-len(data) % 512)


def pax(**records: str) -> bytes:
    """An extended header for the entry that follows; ``__`` in a key stands for a dot."""
    return entry("PaxHeaders/x", b"".join(_record(k.replace("__", "."), v) for k, v in records.items()), b"x")


def _record(key: str, value: str) -> bytes:
    rest = f" {key}={value}\n".encode()
    length = len(rest)
    while length != len(str(length)) + len(rest):
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


END = bytes(1024)
