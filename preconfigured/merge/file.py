"""A kibana.yml on disk: read, changed as text, written whole.

Rules: the new file is written beside the old one, with its mode, owner, group and extended attributes (ACLs, SELinux
label), synced, and renamed over it; the old one stays beside it as a backup. A file that changed meanwhile is left
alone. A link is refused, not followed: whoever made it decides whether its target may be edited in place (a ConfigMap,
a repository of settings), and a backup beside the target would be a surprise; so is a file with a second name, whose
other name would keep the old text.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from preconfigured.connectors import Note
from preconfigured.errors import KibanaYmlError, MachineError
from preconfigured.merge.diff import unified
from preconfigured.merge.edit import Edited
from preconfigured.merge.source import LARGEST, Source, decode

_HINTS = {
    errno.EACCES: "Run as a user who may write there, mostly root.",
    errno.EPERM: "Run as root: owner, group and label of the file have to be kept.",
    errno.ENOSPC: "Free some space there; the file is as it was.",
    errno.EDQUOT: "Your quota there is used up; the file is as it was.",
    errno.EROFS: "That file system is mounted read-only: change the file where it comes from.",
    errno.EBUSY: "The file is a mount point, as in a container: change it on the host.",
    errno.ENOENT: "Give the path of the kibana.yml, for example /etc/kibana/kibana.yml.",
    errno.EISDIR: "Give the path of the file, not of its folder.",
    errno.ENOTDIR: "A part of that path is a file.",
}


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A change of a file: its diff, without the values of secrets; ``backup`` is None where nothing was written."""

    path: Path
    diff: str
    notes: tuple[Note, ...]
    changed: bool
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A kibana.yml as it was read."""

    path: Path
    data: bytes
    about: os.stat_result
    source: Source


def edit_file(path: Path, change: Callable[[str, str], Edited], *, write: bool = True) -> FileEdit:
    """Change a kibana.yml by ``change(text, name)``; without ``write`` only say what would change.

    Raises:
        KibanaYmlError: the file cannot be changed without risk; it is as it was.
        MachineError: it cannot be read or written; it is as it was.
    """
    found = read_file(path)
    edited = change(found.source.text, str(path))
    diff = unified(found.source.text, edited.text, str(path))
    data = found.source.encode(edited.text)
    if not write or data == found.data:
        return FileEdit(path, diff, edited.notes, changed=data != found.data)
    with _guarded(path, "write"), _alone(path):
        backup, notes = _replace(found, data)
    return FileEdit(path, diff, (*edited.notes, *notes), changed=True, backup=backup)


def read_file(path: Path) -> Found:
    """Read a kibana.yml.

    Raises:
        KibanaYmlError: it is no plain file, a link, or no text.
        MachineError: it cannot be read.
    """
    with _guarded(path, "read"):
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            target = path.resolve()
            hint = f"Name the file itself, if it may be changed there: {target}"
            raise KibanaYmlError(f"{path}: is a link to {path.readlink()}", hint=hint)
        if not stat.S_ISREG(about.st_mode):
            raise KibanaYmlError(f"{path}: is no plain file", hint=_HINTS[errno.ENOENT])
        if about.st_nlink > 1:
            message = f"{path}: the same file has {about.st_nlink} names, and the others would keep the old text"
            raise KibanaYmlError(message, hint=f"Give it one of its own: cp -p {path} X && mv X {path}")
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            data = file.read(LARGEST + 1)
            about = os.fstat(file.fileno())
    return Found(path, data, about, decode(data, str(path)))


def _replace(found: Found, data: bytes) -> tuple[Path, list[Note]]:
    backup = _free_name(found.path)
    beside = found.path.with_name(f".{found.path.name}.{secrets.token_hex(4)}.new")
    kept = False
    try:
        notes = _write(beside, data, found)
        _write(backup, found.data, found)
        _refuse_changed(found)
        beside.replace(found.path)
        kept = True
    finally:
        beside.unlink(missing_ok=True)
        if not kept:
            backup.unlink(missing_ok=True)
    folder = os.open(found.path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return backup, notes


def _refuse_changed(found: Found) -> None:
    now = found.path.lstat()
    same = (now.st_ino, now.st_dev, now.st_mtime_ns, now.st_size) == (
        found.about.st_ino,
        found.about.st_dev,
        found.about.st_mtime_ns,
        found.about.st_size,
    )
    if not same or found.path.read_bytes() != found.data:
        raise KibanaYmlError(
            f"{found.path}: somebody else changed it in the meantime; it was not overwritten",
            hint="Run the same command again.",
        )


def _write(path: Path, data: bytes, like: Found) -> list[Note]:
    """Write a new file with mode, owner and attributes of another one; it belongs to nobody else before that."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        here = os.fstat(file.fileno())
        if (here.st_uid, here.st_gid) != (like.about.st_uid, like.about.st_gid):
            os.fchown(file.fileno(), like.about.st_uid, like.about.st_gid)
        notes = _attributes(like.path, file.fileno())
        os.fchmod(file.fileno(), stat.S_IMODE(like.about.st_mode))
        os.fsync(file.fileno())
    return notes


def _attributes(source: Path, target: int) -> list[Note]:
    notes = []
    try:
        names = os.listxattr(source, follow_symlinks=False)
    except OSError:
        return []
    for name in names:
        try:
            value = os.getxattr(source, name, follow_symlinks=False)
            if name not in os.listxattr(target) or os.getxattr(target, name) != value:
                os.setxattr(target, name, value)
        except OSError as error:
            notes.append(Note(str(source), f"its attribute {name} could not be kept: {os.strerror(error.errno or 0)}"))
    return notes


def _free_name(path: Path) -> Path:
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    names = (path.with_name(f"{path.name}.{stamp}{more}.bak") for more in ("", *(f"-{n}" for n in range(2, 1000))))
    return next((name for name in names if not os.path.lexists(name)), path.with_name(f"{path.name}.{stamp}.bak"))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep two of us from writing at once; a file system without locks goes without."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = f"{path}: another llm-bundle is writing in that folder"
        raise KibanaYmlError(message, hint="Wait for it, then run the same command again.") from error
    except OSError as error:
        if error.errno not in {errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}:
            raise
    else:
        yield
        return
    finally:
        # Closing the folder gives the lock up, so this must come after the work.
        os.close(folder)
    yield


@contextmanager
def _guarded(path: Path, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise MachineError(f"{path}: cannot {doing} it: {reason}", hint=_HINTS.get(error.errno or 0, "")) from error
