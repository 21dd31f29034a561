"""A file that an installed release has already: checked, then given a second name instead of being written again.

Two names of one file mean that whoever writes through one changes the other. So nothing here opens such a file for
writing or touches its mode and times, and only a file of this user whose mode is the wanted one gets a second name.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final, Literal

from bundler.layout.member import Member
from bundler.progress import Progress

Outcome = Literal["linked", "unfit", "changed"]
"""``changed``: it is no longer what its release promised. ``unfit``: it cannot be shared, for another reason."""

_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def link(known: Path, target: Path, member: Member, mode: int, buffer: memoryview, progress: Progress) -> Outcome:
    """Make ``target`` a second name of ``known`` if that holds what ``member`` promises; else nothing is made."""
    try:
        descriptor = os.open(known, _OPEN)
    except FileNotFoundError:
        return "changed"
    except OSError:
        return "unfit"
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size != member.size:
            return "changed"
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != mode:
            return "unfit"
        if not _holds(descriptor, member, buffer, progress):
            return "changed"
        if _named(known, target, found):
            return "linked"
    except OSError:  # a disk that fails to read, a file system without links, too many of them
        pass
    finally:
        os.close(descriptor)
    progress.advance(-member.size)
    return "unfit"


def _holds(descriptor: int, member: Member, buffer: memoryview, progress: Progress) -> bool:
    digest = hashlib.sha256()
    done = 0
    while count := os.readv(descriptor, [buffer]):
        digest.update(buffer[:count])
        done += count
        progress.advance(count)
    if digest.hexdigest() == member.digest.hex:
        return True
    progress.advance(-done)
    return False


def _named(known: Path, target: Path, found: os.stat_result) -> bool:
    os.link(known, target, follow_symlinks=False)
    made = target.lstat()
    if (made.st_dev, made.st_ino) == (found.st_dev, found.st_ino):
        return True
    target.unlink()  # another file took the name after it was hashed
    return False
