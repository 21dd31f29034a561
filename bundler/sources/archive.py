"""An index of a tar archive on disk: where each entry's bytes lie, so that they are read without unpacking.

Rules: written for archives that come from elsewhere. Nothing is unpacked; every header is checked, every
read is bounded; what is not a plain file, a folder or a link is refused, and so are names that leave the
archive and two entries of one name (readers differ on which counts). Python's ``tarfile`` is not used: it
takes a damaged header in the middle for the end, reads extended headers of any size, and 3.10's hangs on
negative sizes (CVE-2025-8194). Format: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
(ustar, pax) and GNU tar's manual.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from bundler.errors import IntegrityError, SourceError
from bundler.sources.interface import LocalRange
from bundler.sources.local import open_regular, read_at, read_range, resolved
from bundler.sources.tar_header import (
    BLOCK,
    Header,
    HeaderError,
    inside,
    link_target,
    parse_header,
    parse_long,
    parse_records,
    parse_size,
)

MAX_ENTRIES = 100_000
MAX_EXTENDED = 64 << 10

_PACKED = (
    (b"\x1f\x8b", "gzip", "gunzip -k"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (b"\xfd7zXZ\x00", "xz", "unxz -k"),
    (b"BZh", "bzip2", "bunzip2 -k"),
)


@dataclass(frozen=True, slots=True)
class Archive:
    """A tar archive: ``path`` is resolved, ``files`` are its plain files, ``links`` names to names."""

    path: Path
    files: Mapping[str, LocalRange]
    links: Mapping[str, str]

    def find(self, name: str) -> LocalRange | None:
        """Where the bytes of the entry ``name`` lie, a link followed once; None when there is no such entry.

        Raises: SourceError when a link leads to another link, to nothing or out of the archive.
        """
        if name not in self.links:
            return self.files.get(name)
        target = self.links[name]
        if target not in self.files:
            raise SourceError(
                f"{self.path}: the entry {name!r} is a link to {target!r}, which is no file of the archive",
                hint="Write the archive again, with `docker save` or `skopeo copy`.",
            )
        return self.files[target]

    def read(self, name: str, limit: int) -> bytes | None:
        """The whole entry ``name``, at most ``limit`` bytes; None when there is no such entry.

        Raises: SourceError when it is longer; as ``find`` does.
        """
        found = self.find(name)
        return None if found is None else read_range(found, limit, f"{self.path}: {name}")


def index_archive(path: Path) -> Archive:
    """Read the headers of the tar ``path``.

    Raises: SourceError when it is compressed, no tar, or holds what we refuse; IntegrityError when it is
    cut off or damaged; MachineError when it cannot be read.
    """
    path = resolved(path)
    file = open_regular(path)
    try:
        _refuse_compressed(path, read_at(file, path, 8, 0))
        return _Indexer(path, file).run()
    finally:
        os.close(file)


class _Indexer:
    """Walks the headers of one archive."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file
        self._end = os.fstat(file).st_size
        self._files: dict[str, LocalRange] = {}
        self._links: dict[str, str] = {}

    def run(self) -> Archive:
        at = 0
        extended: dict[str, str] = {}
        for _ in range(MAX_ENTRIES):
            try:
                header = parse_header(self._exactly(BLOCK, at))
                if header is None:
                    return Archive(self._path, MappingProxyType(self._files), MappingProxyType(self._links))
                at += BLOCK
                if header.kind in ("extended", "global", "longname", "longlink"):
                    extended |= self._extension(header, at)
                else:
                    header = _extend(header, extended)
                    extended = {}
                    self._add(header, at)
            except HeaderError as error:
                raise self._refuse(error, at) from error
            at += -(-header.size // BLOCK) * BLOCK
        raise SourceError(f"{self._path}: more than {MAX_ENTRIES} entries; this is no archive of images")

    def _extension(self, header: Header, at: int) -> dict[str, str]:
        if header.size > MAX_EXTENDED:
            raise HeaderError(f"an extended header of {header.size} bytes; at most {MAX_EXTENDED} are read")
        data = self._exactly(header.size, at)
        if header.kind in ("longname", "longlink"):
            return parse_long(header, data)
        records = parse_records(data)
        if header.kind == "global" and records:
            raise HeaderError("a global header that names or sizes entries")
        return records

    def _add(self, header: Header, at: int) -> None:
        name = inside(header.name)
        if header.kind == "folder":
            return
        if name in self._files or name in self._links:
            raise HeaderError(f"two entries of the name {name[:200]!r}")
        if header.kind != "file":
            self._links[name] = link_target(header)
            return
        if at + header.size > self._end:
            raise self._cut(f"its entry {name[:200]!r} ends at byte {at + header.size}")
        self._files[name] = LocalRange(self._path, at, header.size)

    def _exactly(self, size: int, at: int) -> bytes:
        data = read_at(self._file, self._path, size, at)
        if len(data) < size:
            raise self._cut("its end mark is missing")
        return data

    def _cut(self, what: str) -> IntegrityError:
        return IntegrityError(
            f"{self._path}: the archive was cut off: {what}, the file ends at byte {self._end}",
            hint="It was not copied or saved to its end: copy or save it again.",
        )

    def _refuse(self, error: HeaderError, at: int) -> SourceError | IntegrityError:
        if error.damaged and (self._files or self._links):
            hint = "Copy it again, or save the image again."
            return IntegrityError(f"{self._path}: damaged near byte {at}: {error}", hint=hint)
        if error.damaged:
            hint = "Expected what `docker save`, `podman save` or `skopeo copy` wrote."
            return SourceError(f"{self._path}: this is no tar archive: {error}", hint=hint)
        hint = "No tool that saves images writes that. Save the image again, with `skopeo copy` for example."
        return SourceError(f"{self._path}: refused near byte {at}: {error}", hint=hint)


def _extend(header: Header, extended: Mapping[str, str]) -> Header:
    """``header`` with what the extended headers before it say."""
    size = parse_size(extended["size"]) if "size" in extended and header.kind == "file" else header.size
    name = extended.get("path", header.name)
    kind = "folder" if header.kind == "file" and name.endswith("/") else header.kind
    return replace(header, kind=kind, name=name, target=extended.get("linkpath", header.target), size=size)


def _refuse_compressed(path: Path, magic: bytes) -> None:
    for start, kind, command in _PACKED:
        if magic.startswith(start):
            raise SourceError(
                f"{path}: expected a plain tar archive, found one compressed with {kind}",
                hint=f"Its parts are read out of order, so unpack it first: {command} {path}",
            )
