"""What the releases take on the disk. A file that several releases have is counted once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bundler.disk import guarded
from bundler.site.place import Place
from bundler.site.releases.present import folders


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes on disk of a release; ``own`` are those that no other release has: what removing it gives back.

    Blocks that are shared with the bundle's own file (XFS, btrfs) count as if they were not.
    """

    id: str
    bytes: int
    own: int


@dataclass(frozen=True, slots=True)
class Disk:
    """All releases; ``total`` is what they take together, ``free`` what is left for this user. In bytes."""

    releases: tuple[Usage, ...]
    total: int
    free: int


def disk_of(place: Place) -> Disk:
    """Look at every file of every release. Raises: MachineError."""
    found = {name: dict(_inodes(place.release(name))) for name in folders(place)}
    owners: dict[tuple[int, int], int] = {}
    sizes: dict[tuple[int, int], int] = {}
    for inodes in found.values():
        sizes |= inodes
        for inode in inodes:
            owners[inode] = owners.get(inode, 0) + 1
    rows = [
        Usage(name, sum(inodes.values()), sum(size for inode, size in inodes.items() if owners[inode] == 1))
        for name, inodes in found.items()
    ]
    with guarded(place.root, "look for free space"):
        free = shutil.disk_usage(place.root).free
    return Disk(tuple(rows), sum(sizes.values()), free)


def _inodes(folder: Path) -> Iterator[tuple[tuple[int, int], int]]:
    """(device, inode) and bytes of everything below ``folder``; what goes meanwhile is passed over."""
    for parent, folders_here, files in os.walk(folder):
        for name in (*folders_here, *files):
            try:
                found = (Path(parent) / name).lstat()
            except FileNotFoundError:
                continue
            yield (found.st_dev, found.st_ino), found.st_blocks * 512
