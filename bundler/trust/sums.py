"""SHA256SUMS in the form of coreutils: ``<hex>  <path>`` a line, paths relative to the bundle's top folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.layout.member import Member
from bundler.relpath import path_fault

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def encode(members: Iterable[Member]) -> bytes:
    """The bytes of SHA256SUMS for ``members``, in the order given."""
    return "".join(f"{member.digest.hex}  {member.path}\n" for member in members).encode()


def decode(data: bytes, *, where: str = "SHA256SUMS") -> Mapping[str, Digest]:
    """Path → digest, in the order of the lines. Raises: IntegrityError with the line's number."""
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{where}: not UTF-8 at byte {error.start}") from error
    if lines.pop() != "":
        raise IntegrityError(f"{where}: the last line is cut off")
    found: dict[str, Digest] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if not match or path_fault(match[2]) or match[2] in found:
            raise IntegrityError(
                f"{where}:{number}: expected a digest, two spaces and a new path, found {line[:120]!r}"
            )
        found[match[2]] = Digest(match[1])
    return found
