"""Bytes of files on this machine: a file of a folder, or an entry of an archive.

Rules: a path that an origin holds is resolved already, so a symbolic link at its end was put there since
and is refused. Only regular files are opened, and never more than ``size`` bytes from ``start`` are read:
an archive's next entry is out of reach. A file that grew shorter is named; one that changed is found by its
digest, as everywhere.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from bundler.errors import BundleError, IntegrityError, MachineError, SourceError
from bundler.sources.interface import LocalRange, Origin, Reader

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class LocalReader:
    """The bytes of ``origin`` from ``offset`` on. One thread reads it."""

    def __init__(self, file: int, origin: LocalRange, offset: int) -> None:
        self.offset = offset
        self._file = file
        self._origin = origin
        self._at = origin.start + offset
        self._end = origin.start + origin.size

    def readinto(self, buffer: memoryview) -> int:
        """Fill some or all of ``buffer``; 0 is the end.

        Raises: IntegrityError when the file ends too early; MachineError when the medium fails.
        """
        wanted = buffer[: self._end - self._at]
        if not wanted:
            return 0
        try:
            count = os.preadv(self._file, [wanted], self._at)
        except OSError as error:
            raise unreadable(self._origin.path, error) from error
        if not count:
            raise _shorter(self._origin, os.fstat(self._file).st_size)
        self._at += count
        return count

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class LocalSource:
    """Opens ``LocalRange`` origins. Safe to call from several threads."""

    def open(self, origin: Origin, offset: int) -> Reader:
        """Open ``origin`` at ``offset`` bytes from its start.

        Raises: SourceError when the file is gone or is no regular file; IntegrityError when it is too short;
        MachineError when this machine does not let us read it.
        """
        if not isinstance(origin, LocalRange):
            raise TypeError(f"a LocalSource opens LocalRange, not {type(origin).__name__}")
        file = open_regular(origin.path)
        found = os.fstat(file).st_size
        if found < origin.start + origin.size:
            os.close(file)
            raise _shorter(origin, found)
        return LocalReader(file, origin, offset)


def open_regular(path: Path) -> int:
    """Open the regular file ``path``, whose last part is no link, and return its descriptor.

    Raises: SourceError when it is not there or something else; MachineError when it cannot be read.
    """
    try:
        file = os.open(path, _FLAGS)
    except OSError as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise SourceError(f"{path}: expected a plain file, found something else", hint="Name a plain file.")
    return file


def whole_file(path: Path) -> LocalRange:
    """All of the plain file ``path``, links to it followed.

    Raises: SourceError when it is not there or something else; MachineError when it cannot be read.
    """
    path = resolved(path)
    file = open_regular(path)
    try:
        return LocalRange(path, 0, os.fstat(file).st_size)
    finally:
        os.close(file)


def read_range(origin: LocalRange, limit: int, place: str) -> bytes:
    """All bytes of ``origin``, at most ``limit``.

    Raises: SourceError when it is longer; as ``LocalSource.open`` and ``LocalReader.readinto`` do.
    """
    if origin.size > limit:
        raise SourceError(f"{place}: expected at most {limit} bytes, found {origin.size}")
    file = open_regular(origin.path)
    try:
        data = read_at(file, origin.path, origin.size, origin.start)
    finally:
        os.close(file)
    if len(data) < origin.size:
        raise _shorter(origin, origin.start + len(data))
    return data


def read_at(file: int, path: Path, size: int, at: int) -> bytes:
    """``size`` bytes of ``file``, which is ``path``, from ``at`` on, or fewer where it ends.

    Raises: MachineError when the medium fails.
    """
    parts = []
    try:
        while size and (part := os.pread(file, size, at)):
            parts.append(part)
            size -= len(part)
            at += len(part)
    except OSError as error:
        raise unreadable(path, error) from error
    return b"".join(parts)


def resolved(path: Path) -> Path:
    """``path`` without links and relative parts, as origins must hold it.

    Raises: SourceError when it is not there or its links go round; MachineError when it cannot be reached.
    """
    try:
        return path.resolve(strict=True)
    except OSError as error:
        raise unreadable(path, error) from error
    except RuntimeError as error:  # what a loop of links was before Python 3.13
        raise unreadable(path, OSError(errno.ELOOP, os.strerror(errno.ELOOP))) from error


def unreadable(path: Path, error: OSError) -> BundleError:
    """The error for ``error``, met while ``path`` was opened, listed or read."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return SourceError(f"{path}: no such file or folder", hint="Check the path; was it moved or deleted?")
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = f"Let this user read it, or run as one who may: ls -l {path}"
        return MachineError(f"{path}: this user may not read it (permission denied)", hint=hint)
    if error.errno == errno.ELOOP:
        hint = "Name the file that it points to, or lock again if it was replaced since."
        return SourceError(f"{path}: expected a plain file, found a symbolic link or a loop", hint=hint)
    if error.errno in (errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV):
        hint = "Look at the system log (dmesg); copy the file from another medium if this one is failing."
        return MachineError(f"{path}: the disk or share failed while reading ({error.strerror})", hint=hint)
    return MachineError(f"{path}: cannot be read ({error.strerror})", hint="See whether `cat` can read it.")


def _shorter(origin: LocalRange, found: int) -> IntegrityError:
    wanted = origin.start + origin.size
    return IntegrityError(
        f"{origin.path}: expected at least {wanted} bytes, found {found}: it became shorter",
        hint="The file was changed after `llm-bundle lock`. Put the old one back, or lock again.",
    )
