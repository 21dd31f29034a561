"""One process at a time changes an installation: flock on ``<root>/.lock``, which ends with the process in any case.

The file says who holds it, for the message alone; what an ended process left there means nothing.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bundler.disk import disk_error, guarded
from bundler.errors import MachineError
from bundler.site.place import Place

_HOLDER: Final = re.compile(rb"([0-9]{1,10}) ([ -~]{1,80})\n")
_TRIES: Final = 5


@contextmanager
def holding(place: Place, doing: str = "llm-bundle") -> Iterator[None]:
    """Keep every other process from changing the installation; the folder is made if it is not there.

    ``doing`` is what another process is told. Raises: MachineError at once when another process holds it, and where
    others may write.
    """
    with guarded(place.root, "make"), suppress(FileExistsError):
        place.root.mkdir(parents=True)
        place.root.chmod(0o755)
    _require_ours(place.root)
    descriptor = _locked(place.lock)
    try:
        # A full disk must keep nobody from what makes room on it.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {doing}\n".encode("ascii", "replace"), 0)
        yield
    finally:
        os.close(descriptor)


def _require_ours(root: Path) -> None:
    """Raises: MachineError where somebody else could put links for us to follow, or take a release for another."""
    with guarded(root, "look at"):
        found = root.stat()
    if found.st_uid not in (0, os.geteuid()):
        hint = f"Choose another --root, or look what is in it, and make it yours: chown -h {os.geteuid()} {root}"
        raise MachineError(f"{root}: belongs to another user (number {found.st_uid})", hint=hint)
    if found.st_mode & stat.S_IWOTH:
        raise MachineError(f"{root}: everybody may write there", hint=f"Choose another --root, or: chmod o-w {root}")


def _locked(path: Path) -> int:
    """A descriptor with the lock on the file that bears the name: `uninstall` removes it while others wait."""
    for _ in range(_TRIES):
        with guarded(path, "lock"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        if _lock(descriptor, path):
            return descriptor
        os.close(descriptor)
    raise MachineError(f"{path}: is being removed and made again", hint="Try again in a moment.")


def _lock(descriptor: int, path: Path) -> bool:
    """Whether it is locked and still the file at ``path``. Raises: MachineError, with ``descriptor`` closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(descriptor)
        named = path.lstat()
    except FileNotFoundError:
        return False
    except BlockingIOError:
        holder = _holder(descriptor)
        os.close(descriptor)
        hint = "Wait for it to end, then call this again. The lock ends with that process: there is nothing to remove."
        raise MachineError(f"{path.parent}: {holder} is changing this installation", hint=hint) from None
    except OSError as error:
        os.close(descriptor)
        raise disk_error(error, path, "lock") from error
    return (found.st_dev, found.st_ino) == (named.st_dev, named.st_ino)


def _holder(descriptor: int) -> str:
    match = _HOLDER.fullmatch(os.pread(descriptor, 200, 0))
    return f"{match[2].decode()} (process {int(match[1])})" if match else "another process"
