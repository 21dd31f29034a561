"""Releases leave the disk: renamed away first, so that no half release ever bears a release's name.

Links are removed and never followed. Use these inside ``holding``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from bundler.disk import guarded, is_there, sync_folder
from bundler.site.place import Place
from bundler.site.releases.names import REMOVED, is_leftover, require_release


def remove_release_folder(place: Place, release: str) -> None:
    """Remove the folder of that release; fine when it is not there. Raises: MachineError."""
    aside = set_aside(place, release)
    if aside:
        _remove(aside)


def set_aside(place: Place, release: str) -> Path | None:
    """Take the release's name from its folder: where that lies now, a leftover, or None where it was not there."""
    require_release(release)
    folder = place.release(release)
    if not is_there(folder):
        return None
    with guarded(folder, "rename"):
        aside = Path(tempfile.mkdtemp(prefix=f".{release}.", suffix=REMOVED, dir=place.releases))
        if folder.is_dir() and not folder.is_symlink():
            folder.rename(aside)  # over an empty folder
        else:
            folder.rename(aside / "found")
    sync_folder(place.releases)
    return aside


def remove_leftovers(place: Place) -> None:
    """Remove what runs that were killed have left in ``releases``, and nothing else. Raises: MachineError."""
    if not is_there(place.releases):
        return
    with guarded(place.releases, "read"):
        left = sorted(path for path in place.releases.iterdir() if is_leftover(path.name))
    for path in left:
        _remove(path)


def _remove(path: Path) -> None:
    with guarded(path, "remove"):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return
        _open_up(path)
        shutil.rmtree(path)


def _open_up(folder: Path) -> None:
    """Let this user remove what lies in folders that nobody may write."""
    folder.chmod(0o700)
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(parent) / name
            if not path.is_symlink():
                path.chmod(0o700)
