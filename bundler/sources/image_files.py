"""The files of an image on disk by their names: an OCI layout's folder, or a tar archive of any kind.

Rules: names come from us or are digests, never from a document unchecked; reads are bounded; what is read
whole is checked against its digest. Format:
https://github.com/opencontainers/image-spec/blob/main/image-layout.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bundler.digest import Digest
from bundler.errors import IntegrityError, SourceError
from bundler.sources.archive import index_archive
from bundler.sources.interface import LocalRange
from bundler.sources.local import read_range, resolved, whole_file

LARGEST_DOCUMENT = 4 << 20


class ImageFiles(Protocol):
    """Named files, each with a place on disk."""

    @property
    def path(self) -> Path:
        """The folder or archive, resolved."""

    def find(self, name: str) -> LocalRange | None:
        """Where the bytes of ``name`` lie; None when there is no such file.

        Raises: SourceError when something else bears the name; MachineError when it cannot be reached.
        """


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """The files below a folder."""

    path: Path

    def find(self, name: str) -> LocalRange | None:
        """See ``ImageFiles.find``."""
        file = self.path / name
        return whole_file(file) if file.exists() else None


def open_files(path: Path) -> ImageFiles:
    """The files of the folder or archive ``path``. Raises: as ``index_archive`` does."""
    path = resolved(path)
    return ImageFolder(path) if path.is_dir() else index_archive(path)


def read_whole(files: ImageFiles, name: str, limit: int = LARGEST_DOCUMENT) -> bytes:
    """All of the file ``name``, at most ``limit`` bytes.

    Raises: SourceError when it is missing or longer; IntegrityError when it is cut off.
    """
    found = files.find(name)
    if found is None:
        raise SourceError(f"{files.path}: {name} is missing", hint="Copy or save the image again, whole.")
    return read_range(found, limit, f"{files.path}: {name}")


def read_json(files: ImageFiles, name: str) -> Any:
    """What the JSON file ``name`` says. Raises: SourceError when it is missing, too long or no JSON."""
    return parse_json(read_whole(files, name), f"{files.path}: {name}")


def parse_json(data: bytes, place: str) -> Any:
    """What ``data``, found at ``place``, says. Raises: SourceError when it is no JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{place}: expected JSON: {error}", hint="Save the image again.") from error


def find_blob(files: ImageFiles, digest: Digest, size: int) -> LocalRange:
    """Where the blob ``digest`` of an OCI layout lies; its bytes are not hashed here.

    Raises: SourceError when it is missing; IntegrityError when it has another size.
    """
    name = blob_name(digest)
    found = files.find(name)
    if found is None:
        hint = "The layout is not whole: copy it again with all its blobs (`skopeo copy --all` takes every platform)."
        raise SourceError(f"{files.path}: {name} is missing", hint=hint)
    if found.size != size:
        raise IntegrityError(
            f"{files.path}: {name}: expected {size} bytes, found {found.size}", hint="Copy the image again."
        )
    return found


def read_blob(files: ImageFiles, digest: Digest, size: int) -> bytes:
    """A manifest or config, checked.

    Raises: SourceError when it is missing or longer than any of these; IntegrityError when it is another.
    """
    data = read_range(find_blob(files, digest, size), LARGEST_DOCUMENT, f"{files.path}: {blob_name(digest)}")
    if Digest.of(data) != digest:
        raise IntegrityError(
            f"{files.path}: {blob_name(digest)}: its content has the digest {Digest.of(data)}",
            hint="It was damaged or changed: copy the image again.",
        )
    return data


def blob_name(digest: Digest) -> str:
    """The name of a blob in an OCI layout."""
    return f"blobs/sha256/{digest.hex}"
