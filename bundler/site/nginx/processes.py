"""Nginx's processes as the kernel shows them: its master, its workers, the ports that it has.

Linux, proc(5): /proc/PID/cmdline, /proc/PID/stat, /proc/PID/fd, /proc/net/tcp and tcp6.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_SOCKET: Final = re.compile(r"socket:\[(\d+)\]")
_MASTER: Final = b"nginx: master process"
_LISTEN: Final = "0A"
_PATIENCE: Final = 10.0


def master_of(pid_file: Path) -> int | None:
    """The process that ``pid_file`` names, if it is a master of Nginx's and lives."""
    try:
        pid = int(pid_file.read_bytes()[:20])
        title = (_PROC / str(pid) / "cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if title.startswith(_MASTER) else None


def workers_of(master: int) -> frozenset[int]:
    """Its children, but those that take no new connections, which end with their streams."""
    return frozenset(pid for pid in _children(master) if b"shutting down" not in _title(pid))


def hang_up(master: int) -> bool:
    """Tell a master of Nginx's to read its configuration anew; False where that is none, or this user may not."""
    if not _title(master).startswith(_MASTER):
        return False
    try:
        os.kill(master, signal.SIGHUP)
    except OSError:
        return False
    return True


def wait_for_new(master: int, old: frozenset[int]) -> bool:
    """Wait until new workers run and the ``old`` take no new connections, some seconds at most; whether any are new.

    Nginx reloads on its own time: for a moment the old workers still let in whoever they know.
    """
    end = time.monotonic() + _PATIENCE
    while (not (now := workers_of(master)) or now & old) and time.monotonic() < end:
        time.sleep(0.05)
    return bool(now - old)


def _children(master: int) -> Iterator[int]:
    for path in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # "pid (name) state parent …": the name may hold anything, blanks and parentheses too.
            if int(path.read_text(errors="replace").rpartition(")")[2].split()[1]) == master:
                yield int(path.parent.name)


def _title(pid: int) -> bytes:
    with suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_bytes()
    return b"shutting down"


def taken(addresses: Iterable[str], ports: Iterable[int], master: int | None) -> int | None:
    """The first of the ports that another program than this master listens on, at one of the addresses."""
    wanted = list(ports)
    own = _own_ports(master) if master else frozenset()
    for address in addresses:
        for port in wanted:
            if port not in own and _in_use(address, port):
                return port
    return None


def _in_use(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((address, port))
            # Another's bound socket shows only when it is listened on.
            probe.listen(1)
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _own_ports(master: int) -> frozenset[int]:
    sockets = set()
    with suppress(OSError):
        for path in (_PROC / str(master) / "fd").iterdir():
            with suppress(OSError):
                found = _SOCKET.fullmatch(str(path.readlink()))
                sockets.add(found[1] if found else "")
    ports = set()
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / name).read_text().splitlines()[1:]:
                words = line.split()
                if len(words) > 9 and words[3] == _LISTEN and words[9] in sockets:
                    ports.add(int(words[1].rpartition(":")[2], 16))
    return frozenset(ports)
