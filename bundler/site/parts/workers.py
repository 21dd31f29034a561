"""Nginx's workers as this host sees them, so that a reload is over when it is said to be.

Nginx reloads on its own time: for a moment the old workers still take new connections, with the old tokens.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

PROCESSES: Final = Path("/proc")

_SECONDS: Final = 10.0
_USUAL: Final = 0.5
_ENDING: Final = b"shutting down"


def workers(master: int) -> frozenset[int]:
    """The processes that Nginx's ``master`` started; none where they cannot be seen."""
    try:
        text = (PROCESSES / str(master) / "task" / str(master) / "children").read_text()
    except OSError:
        return frozenset()
    return frozenset(map(int, text.split()))


def wait_for_new(master: int, old: frozenset[int]) -> None:
    """Return when new workers run and the ``old`` take no new connections; after some seconds in any case."""
    if not old:
        time.sleep(_USUAL)
        return
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        now = workers(master)
        if now - old and all(_ends(worker) for worker in now & old):
            return
        time.sleep(0.02)


def _ends(process: int) -> bool:
    try:
        return _ENDING in (PROCESSES / str(process) / "cmdline").read_bytes()[:200]
    except OSError:
        return True
