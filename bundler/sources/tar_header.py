"""What the header blocks of a tar archive say. No I/O: ``archive.py`` reads them and decides what to refuse.

Formats: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar, pax) and the GNU
extensions for long names and big sizes, https://www.gnu.org/software/tar/manual/html_node/Standard.html.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

BLOCK = 512

Kind: TypeAlias = Literal["file", "folder", "link", "hardlink", "extended", "global", "longname", "longlink"]

_KINDS: dict[bytes, Kind] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "link",
    b"5": "folder",
    b"x": "extended",
    b"g": "global",
    b"L": "longname",
    b"K": "longlink",
}
_REFUSED = {
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
    b"M": "a part of an entry of another volume",
}
_RECORD = re.compile(rb"([1-9][0-9]{0,6}) ")


class HeaderError(ValueError):
    """A header that says something wrong; ``damaged`` when it is rather bad bytes than bad intent."""

    def __init__(self, message: str, *, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged


@dataclass(frozen=True, slots=True)
class Header:
    """One header block: name and link target as they stand, ``size`` the bytes of data that follow."""

    kind: Kind
    name: str
    target: str
    size: int


def parse_header(block: bytes) -> Header | None:
    """Read a block of 512 bytes; None is the end of the archive.

    Raises: HeaderError for a wrong checksum, a negative size, a device, a pipe, a sparse file.
    """
    if not any(block):
        return None
    _check_sum(block)
    mark = block[156:157]
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and block[345]:
        name = f"{_text(block[345:500])}/{name}"
    if mark in _REFUSED:
        raise HeaderError(f"the entry {name[:200]!r} is {_REFUSED[mark]}")
    if mark not in _KINDS:
        raise HeaderError(f"the entry {name[:200]!r} is of the unknown type {mark!r}")
    kind: Kind = "folder" if _KINDS[mark] == "file" and name.endswith("/") else _KINDS[mark]
    size = _number(block[124:136], f"the size of the entry {name[:200]!r}")
    return Header(kind, name, _text(block[157:257]), 0 if kind in ("link", "hardlink", "folder") else size)


def parse_records(data: bytes) -> dict[str, str]:
    """Read those records of a pax header that name or size an entry; each is ``LENGTH KEY=VALUE`` and a
    line feed.

    Raises: HeaderError for a malformed record, and for GNU's sparse files.
    """
    found = {}
    at = 0
    while at < len(data):
        match = _RECORD.match(data, at)
        end = at + int(match[1]) if match else 0
        if not match or end > len(data) or end <= match.end() or data[end - 1 : end] != b"\n":
            raise HeaderError("a malformed extended header", damaged=True)
        key, equals, value = data[match.end() : end - 1].partition(b"=")
        if not equals:
            raise HeaderError("a malformed extended header", damaged=True)
        if key.startswith(b"GNU.sparse."):
            raise HeaderError("an entry is a sparse file")
        if key in (b"path", b"linkpath", b"size"):
            found[key.decode()] = _text(value, whole=True)
        at = end
    return found


def parse_long(header: Header, data: bytes) -> dict[str, str]:
    """Read GNU's long name or long link target, as the pax record that says the same."""
    return {"path" if header.kind == "longname" else "linkpath": _text(data)}


def parse_size(text: str) -> int:
    """Read the ``size`` of a pax header. Raises: HeaderError for anything but a count below 2**63."""
    if not re.fullmatch("[0-9]{1,19}", text) or int(text) >= 1 << 63:
        raise HeaderError(f"the size of an entry is {text[:40]!r}")
    return int(text)


def inside(name: str) -> str:
    """``name`` in its shortest form, ``.`` for the top. Raises: HeaderError when it leaves the archive."""
    if name.startswith("/") or ".." in name.split("/"):
        raise HeaderError(f"the entry {name[:200]!r} leads out of the archive")
    return posixpath.normpath(name)


def link_target(header: Header) -> str:
    """The entry that a link leads to: symbolic ones start from their folder, hard ones from the top.

    Raises: HeaderError when that is outside.
    """
    folder = "" if header.kind == "hardlink" else posixpath.dirname(inside(header.name))
    target = posixpath.normpath(posixpath.join(folder, header.target))
    if target.startswith("/") or target.split("/")[0] == "..":
        raise HeaderError(f"the link {header.name[:200]!r} leads out of the archive: {header.target[:200]!r}")
    return target


def _check_sum(block: bytes) -> None:
    """The sum of all bytes, its own field as spaces; some old tars add them up as signed ones."""
    rest = block[:148] + b" " * 8 + block[156:]
    plain = sum(rest)
    said = _number(block[148:156], "a header's checksum")
    if said != plain and said != plain - 256 * sum(byte > 127 for byte in rest):
        raise HeaderError("a header with a wrong checksum", damaged=True)


def _number(field: bytes, what: str) -> int:
    """Octal digits, or GNU's base-256 for big numbers."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
        if field[0] != 0x80 or value >= 1 << 63:
            raise HeaderError(f"{what} is out of range")
        return value
    digits = field.strip(b" \0")
    if not re.fullmatch(b"[0-7]*", digits):
        raise HeaderError(f"{what} is no number: {field!r}", damaged=True)
    return int(digits or b"0", 8)


def _text(field: bytes, *, whole: bool = False) -> str:
    """A name in UTF-8; a field of a header ends at its first NUL, a pax value has none."""
    value = field if whole else field.split(b"\0", 1)[0]
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise HeaderError(f"the name {value[:200]!r} is not UTF-8") from error
    if not text.isprintable():
        raise HeaderError(f"the name {text[:200]!r} holds control characters")
    return text
