"""A certificate and its key in a folder that Nginx reads: changed together, by whole files.

Both are written beside their places and synced, and only then renamed, the key first: between the two renames lies
nothing else. Whoever reads just then finds two that do not fit, and Nginx keeps what it has. Who is killed just then
leaves the certificate beside its place, and the next one (``finish_pair``) puts it there. No links: what is mounted
into a container is handed over file by file, and a medium with FAT knows none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_there, sync_folder

CERTIFICATE, KEY = "server.crt", "server.key"
_MODES: Final = {KEY: 0o600, CERTIFICATE: 0o644}


def replace_pair(folder: Path, certificate: bytes, key: bytes) -> None:
    """Put both into ``folder``, owned by whoever owns it, the key for its owner alone.

    Raises: MachineError, and the old ones stay.
    """
    finish_pair(folder)
    texts = {KEY: key, CERTIFICATE: certificate}
    try:
        for name, data in texts.items():
            _write(_beside(folder, name), data, _MODES[name])
        sync_folder(folder)
        with guarded(folder, "write"):
            for name in texts:
                _beside(folder, name).replace(folder / name)
    except BaseException:
        finish_pair(folder)
        raise
    sync_folder(folder)


def finish_pair(folder: Path) -> None:
    """Finish what was stopped between the two renames; throw away what was stopped before. Raises: MachineError."""
    key, certificate = _beside(folder, KEY), _beside(folder, CERTIFICATE)
    with guarded(folder, "write"):
        if is_there(certificate) and not is_there(key):
            certificate.replace(folder / CERTIFICATE)
        certificate.unlink(missing_ok=True)
        key.unlink(missing_ok=True)


def _beside(folder: Path, name: str) -> Path:
    return folder / f".{name}.new"


def _write(path: Path, data: bytes, mode: int) -> None:
    with guarded(path, "write"):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            _give(descriptor, path.parent, mode)
            os.fsync(descriptor)


def _give(descriptor: int, folder: Path, mode: int) -> None:
    """A container's user owns the folder that is mounted for it, and must be able to read what is in there."""
    os.fchmod(descriptor, mode)
    found = folder.stat()
    if os.geteuid() == 0 and (found.st_uid, found.st_gid) != (0, 0):
        os.fchown(descriptor, found.st_uid, found.st_gid)
