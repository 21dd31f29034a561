"""Whether a rehearsal still runs: it holds a name that the kernel takes away with its process, also by kill -9.

The name is that of a unix socket without a file (unix(7), abstract). Nobody connects to it.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from bundler.errors import MachineError


@contextmanager
def living(digits: str) -> Iterator[None]:
    """Hold the name. Raises: MachineError."""
    holder = _held(digits)
    if holder is None:
        raise MachineError(f"another rehearsal has the name {digits}", hint="Call this again: it takes another name.")
    with holder:
        yield


def lives(digits: str) -> bool:
    """Whether a process holds it. Raises: MachineError."""
    holder = _held(digits)
    if holder is None:
        return True
    holder.close()
    return False


def _held(digits: str) -> socket.socket | None:
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        holder.bind(f"\0llm-bundle-rehearsal-{digits}")
    except OSError as error:
        holder.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise MachineError(f"this machine gives no unix socket: {error.strerror}") from error
    return holder
