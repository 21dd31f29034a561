"""Folders and files that a container shares with the host: made with the right mode, given to whom it runs as.

Rules: no link is followed, and what is already as it must be is left as it is, so that everything may be done twice.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_there, read_bounded, sync_folder, write_whole
from bundler.errors import MachineError
from bundler.site.parts.runner import Runner

_MOST: Final = 4 << 20
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def make_folder(path: Path, mode: int, owner: Runner | None = None) -> None:
    """A folder of that mode and owner, None for this user's; those above it are made as plain ones.

    Raises: MachineError, also when a link or a file is in the way.
    """
    with guarded(path, "make"):
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, _FOLDER)
        try:
            _give(descriptor, mode, owner)
        finally:
            os.close(descriptor)


def hand_over(folder: Path, owner: Runner) -> None:
    """Make ``folder`` 0700 and its files 0600, and give them to ``owner``. Raises: MachineError."""
    make_folder(folder, 0o700, owner)
    for path in _files(folder):
        with guarded(path, "give away"):
            descriptor = os.open(path, _FILE)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise MachineError(f"{path}: expected a file, found something else", hint="Move it away.")
                _give(descriptor, 0o600, owner)
            finally:
                os.close(descriptor)


def write_if_new(path: Path, text: str, mode: int) -> bool:
    """Write ``text`` unless the file holds just that; whether it was written. Raises: MachineError."""
    data = text.encode()
    if is_there(path) and not path.is_symlink() and read_bounded(path, _MOST) == data:
        return False
    write_whole(path, data, mode)
    sync_folder(path.parent)
    return True


def _files(folder: Path) -> list[Path]:
    with guarded(folder, "read"):
        return sorted(path for path in folder.iterdir() if not path.is_dir() or path.is_symlink())


def _give(descriptor: int, mode: int, owner: Runner | None) -> None:
    found = os.fstat(descriptor)
    if owner and (found.st_uid, found.st_gid) != (owner.uid, owner.gid):
        os.fchown(descriptor, owner.uid, owner.gid)
    if stat.S_IMODE(found.st_mode) != mode:
        os.fchmod(descriptor, mode)
