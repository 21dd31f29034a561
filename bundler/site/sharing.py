"""Blocks that a file shares with the bundle that it comes from, where the file system can (XFS, btrfs)."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

from bundler.disk import guarded
from bundler.layout.arrangement import Slot
from bundler.layout.tar import ALIGNMENT
from bundler.site.medium import Medium

_FICLONERANGE: Final = 0x4020940D
_CANNOT: Final = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ENOTTY}


def can_share(medium: Medium, folder: Path) -> bool:
    """Whether blocks of the bundle can be shared with a file in ``folder``: tried with its first block."""
    place = medium.descriptor(0, ALIGNMENT)
    if place is None:
        return False
    probe = folder / ".probe"
    with guarded(probe, "write"), probe.open("wb") as file:
        try:
            fcntl.ioctl(file.fileno(), _FICLONERANGE, struct.pack("qQQQ", place[0], 0, ALIGNMENT, 0))
            return True
        except OSError:
            return False
        finally:
            probe.unlink()


def share(medium: Medium, slot: Slot, descriptor: int) -> bool:
    """Let the new file share the bundle's blocks; False where that cannot be, and nothing is written then.

    Raises: OSError.
    """
    place = medium.descriptor(slot.data, slot.member.size)
    if place is None:
        return False
    source, at = place
    done = 0
    while done < slot.member.size:
        try:
            count = os.copy_file_range(source, descriptor, slot.member.size - done, at + done, done)
        except OSError as error:
            if error.errno in _CANNOT:
                os.ftruncate(descriptor, 0)
                return False
            raise
        if count == 0:
            os.ftruncate(descriptor, 0)
            return False
        done += count
    return True
