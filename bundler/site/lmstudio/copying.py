"""A file of the model copied into LM Studio's folder, where no hard link can be made: another disk mostly.

Rules: the copy bears its final name only when its digest is the bundle's; until then its name is one that LM Studio
does not take for a model.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from bundler.digest import Digest
from bundler.disk import guarded, require_space
from bundler.errors import IntegrityError, MachineError
from bundler.progress import Progress
from bundler.serving.lmstudio import ModelFile
from bundler.site.lmstudio.account import Account

PART: Final = ".llm-bundle"
_PIECE: Final = 4 << 20
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def digest_of(path: Path) -> Digest | None:
    """The digest of a file; None where there is nothing. Raises: OSError; MachineError for what is no plain file."""
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            hint = "It is left as it is. Move it away, and run the same command again."
            raise MachineError(f"{path}: is in the way, and no file", hint=hint)
        found = hashlib.sha256()
        while piece := file.read(_PIECE):
            found.update(piece)
    return Digest(found.hexdigest())


def _named(part: str, name: str, folder: int) -> None:
    """Rename without writing over what appeared meanwhile; where no link can be made, it is a matter of moments."""
    try:
        os.link(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        raise
    except OSError:
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(part, dir_fd=folder)


def copy_file(source: Path, shown: Path, folder: int, file: ModelFile, who: Account, progress: Progress) -> None:
    """Copy ``source`` into ``folder``, which is open and called ``shown``.

    Raises: MachineError; IntegrityError when the source does not have the bundle's digest.
    """
    require_space(shown, file.size)
    part = f".{file.name}{PART}"
    progress.begin(f"copying {file.name} to LM Studio", file.size)
    with guarded(shown / file.name, "copy"), os.fdopen(os.open(source, _READ), "rb", buffering=0) as old:
        descriptor = os.open(part, _WRITE, 0o644, dir_fd=folder)
        with os.fdopen(descriptor, "wb", buffering=0) as new:
            found = hashlib.sha256()
            while piece := old.read(_PIECE):
                found.update(piece)
                new.write(piece)
                progress.advance(len(piece))
            os.fchown(descriptor, who.uid, who.gid)
            os.fsync(descriptor)
        if found.hexdigest() != file.digest.hex:
            os.unlink(part, dir_fd=folder)
            raise IntegrityError(f"{source}: expected {file.digest}, found sha256:{found.hexdigest()}")
        _named(part, file.name, folder)
    progress.end()
