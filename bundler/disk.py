"""Disks as they are: a failed call in a sentence, and room looked for before the first byte."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bundler.errors import MachineError

FAT_LIMIT: Final = (1 << 32) - 1
_FAT: Final = ("vfat", "msdos")
_MOUNTS: Final = Path("/proc/self/mountinfo")

_HINTS: Final = {
    errno.ENOSPC: "Free some space there and run the same command again: it goes on where it stopped.",
    errno.EDQUOT: "Your quota there is used up. Free some of it and run the same command again: it goes on.",
    errno.EACCES: "Run as a user who may, as root perhaps (sudo), or choose another path.",
    errno.EPERM: "Run as a user who may, as root perhaps (sudo), or choose another path.",
    errno.EROFS: "That file system is mounted read-only; choose another folder.",
    errno.EFBIG: "The file system cannot hold a file of this size (FAT32 stops at 4 GiB): use --volume-size 4000MB.",
    errno.EIO: "The disk or medium is failing: check the system log, and use another one.",
    errno.ENAMETOOLONG: "Choose a shorter name or a folder nearer to the root.",
    errno.ENOENT: "Check how the path is written; its folder must be there.",
    errno.EEXIST: "A file of that name is in the way; choose another folder.",
    errno.EISDIR: "A folder of that name is in the way; move it away, or name another file.",
    errno.ELOOP: "That path leads through a link that is not followed; name the file itself.",
    errno.ENOTDIR: "A part of that path is a file; choose another folder.",
    errno.EMFILE: "Raise the limit of open files: ulimit -n 4096.",
}


def disk_error(error: OSError, path: Path, doing: str) -> MachineError:
    """The sentence for a failed call on ``path``; ``doing`` is a verb such as "write"."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return MachineError(f"{path}: cannot {doing}: {reason}", hint=_HINTS.get(error.errno or 0, ""))


@contextmanager
def guarded(path: Path, doing: str) -> Iterator[None]:
    """Turn every OSError inside into a MachineError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path, doing) from error


def is_there(path: Path) -> bool:
    """Whether ``path`` is the name of anything, a broken link too. Raises: MachineError when that cannot be told."""
    return _mode(path, follow=False) is not None


def is_folder(path: Path) -> bool:
    """Whether ``path`` leads to a folder. Raises: MachineError when that cannot be told."""
    mode = _mode(path, follow=True)
    return mode is not None and stat.S_ISDIR(mode)


def _mode(path: Path, *, follow: bool) -> int | None:
    # Path.exists and the like raise or say no for EACCES and ENAMETOOLONG, as the version of Python has it.
    try:
        return path.stat(follow_symlinks=follow).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise disk_error(error, path, "look at") from error


def read_bounded(path: Path, limit: int) -> bytes:
    """A whole small file. Raises: MachineError, also when it is larger than ``limit`` bytes."""
    with guarded(path, "read"), path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise MachineError(
            f"{path}: larger than the {limit:,} bytes that such a file can have",
            hint="Check that this is the file that you mean.",
        )
    return data


def write_whole(path: Path, data: bytes, mode: int = 0o644, *, owner: tuple[int, int] | None = None) -> None:
    """Write a small file beside its place, sync it and rename it there: it is whole or it is not there.

    ``owner`` is uid and gid, None for this user. Raises: MachineError.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    with guarded(path, "write"):
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
                file.flush()
                if owner is not None and owner[0] != os.geteuid():
                    os.fchown(file.fileno(), *owner)
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def owner_of(folder: Path) -> tuple[int, int]:
    """Uid and gid of a folder, which what is written there is to have too. Raises: MachineError."""
    with guarded(folder, "look at"):
        found = folder.stat(follow_symlinks=False)
    return found.st_uid, found.st_gid


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` outlive a power cut."""
    with guarded(folder, "sync"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def require_space(folder: Path, needed: int) -> None:
    """Raises: MachineError when ``folder`` has fewer than ``needed`` bytes free for this user."""
    with guarded(folder, "look for free space"):
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise MachineError(
            f"{folder}: {size_text(needed)} are needed, {size_text(free)} are free",
            hint="Free some space there, or choose another folder. Nothing was written.",
        )


def require_file_size(folder: Path, largest: int) -> None:
    """Raises: MachineError when ``folder`` lies on FAT32 and a file of ``largest`` bytes would not fit there."""
    if largest > FAT_LIMIT and file_system(folder) in _FAT:
        raise MachineError(
            f"{folder}: this FAT32 file system cannot hold a file of {size_text(largest)}; its limit is 4 GiB",
            hint="Build in volumes: --volume-size 4000MB. `cat` joins them, `verify` reads them as they are.",
        )


def file_system(folder: Path) -> str | None:
    """The type of the file system that ``folder`` lies on, as the kernel names it; None where it is not known."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        device = folder.stat().st_dev
    except OSError:
        return None
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in reversed(lines):
        left, _, right = line.partition(" - ")
        if left.split(" ")[2:3] == [wanted]:
            return right.split(" ")[0]
    return None


def size_text(count: int) -> str:
    """A number of bytes for people: ``17.2 GB`` (decimal units, as disks are sold)."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{count} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
