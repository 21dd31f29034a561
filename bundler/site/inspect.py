"""What a bundle says of itself, read from its manifest alone: a tar, volumes, an unpacked folder or a manifest.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bundler.digest import Digest
from bundler.disk import is_folder, read_bounded
from bundler.errors import IntegrityError
from bundler.layout.manifest import MAX_BYTES, Manifest, decode
from bundler.layout.member import MANIFEST, SUMS
from bundler.site.folder import small_file
from bundler.site.medium import find
from bundler.site.opening import open_bundle
from bundler.trust import sums


@dataclass(frozen=True, slots=True)
class Inspected:
    """A manifest, its digest, and the size of the bundle in bytes (None where only the manifest is at hand)."""

    manifest: Manifest
    digest: Digest
    size: int | None


def inspect(paths: Sequence[Path]) -> Inspected:
    """Read the manifest; it is compared with SHA256SUMS where that is there, nothing else is checked.

    Raises: IntegrityError when it is no bundle; MachineError when it cannot be read.
    """
    first = paths[0]
    if len(paths) == 1 and is_folder(first):
        listed = sums.decode(small_file(first, SUMS), where=str(first / SUMS))
        found = _document(first / MANIFEST)
        if listed.get(MANIFEST) != found.digest:
            raise IntegrityError(f"{first / MANIFEST}: does not match its line in {SUMS}")
        return found
    if len(paths) == 1 and first.suffix == ".json":
        return _document(first)
    with find(paths) as medium:
        opened = open_bundle(medium)
        return Inspected(opened.manifest, opened.manifest_digest, opened.arrangement.size)


def _document(path: Path) -> Inspected:
    data = read_bounded(path, MAX_BYTES)
    return Inspected(decode(data, where=str(path)), Digest.of(data), None)
