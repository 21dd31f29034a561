"""What the releases on disk hold, as far as names and sizes tell: nothing is hashed here."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bundler.digest import Digest
from bundler.disk import guarded, is_folder
from bundler.errors import BundleError
from bundler.layout.manifest import Manifest
from bundler.site.folder import checked_sums
from bundler.site.place import Place
from bundler.site.releases.names import is_release
from bundler.trust import sums


def folders(place: Place) -> tuple[str, ...]:
    """The ids of the releases that have a folder, a link not counted. Raises: MachineError."""
    try:
        with guarded(place.releases, "read"), os.scandir(place.releases) as entries:
            return tuple(sorted(e.name for e in entries if is_release(e.name) and e.is_dir(follow_symlinks=False)))
    except BundleError:
        if not is_folder(place.releases):
            return ()
        raise


def known_data(place: Place) -> dict[Digest, Path]:
    """Where data lies that installed releases promise to have; whoever uses it hashes it. Raises: MachineError."""
    found: dict[Digest, Path] = {}
    for name in folders(place):
        folder = place.release(name)
        try:
            listing, _ = checked_sums(folder)
        except BundleError:
            continue  # nothing can be had from it
        found.update((digest, folder / path) for path, digest in sums.decode(listing).items())
    return found


def is_complete(folder: Path, manifest: Manifest) -> bool:
    """Whether every member is there, as a file of its size."""
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return False
        rows = ((member.size, (folder / member.path).lstat()) for member in manifest.members)
        return all(stat.S_ISREG(found.st_mode) and found.st_size == size for size, found in rows)
    except OSError:
        return False
