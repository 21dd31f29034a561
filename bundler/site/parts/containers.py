"""Containers as a part: states and logs of several put together, for people."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bundler.disk import guarded
from bundler.site.engines.interface import ContainerState
from bundler.site.engines.words import clean
from bundler.site.parts.interface import PartState

MOST_LOG: Final = 1 << 20
_LOG_END: Final = 64 << 10
_UNSEEN: Final = re.compile("\x1b\\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Seen = tuple[str, "ContainerState | None", "bool | None"]
"""A container's name, how it is, and whether it is healthy as far as that is known."""


def part_state(name: str, seen: Iterable[Seen]) -> PartState:
    """The state of a part that has these containers: as good as the worst of them."""
    rows = tuple(seen)
    running = all(state is not None and state.running for _, state, _ in rows)
    health = [healthy for _, _, healthy in rows]
    started = [state.started for _, state, _ in rows if state is not None and state.running]
    return PartState(
        name=name,
        running=running,
        healthy=False if not running or False in health else None if None in health else True,
        since=max(started, default="") if running else "",
        image=next((state.image_id for _, state, _ in rows if state is not None), ""),
        detail="; ".join(filter(None, (_why(container, state) for container, state, _ in rows)))[:1000],
    )


def _why(name: str, state: ContainerState | None) -> str:
    """Why it does not run, or that it had to be started again."""
    if state is None:
        return f"{name} is not there"
    again = f", started again {state.restarts} times" if state.restarts else ""
    if state.running:
        return f"{name} was{again[1:]}" if again else ""
    error = f": {clean(state.error)[:300]}" if state.error else ""
    return f"{name} is {clean(state.status)[:20]} (exit status {state.exit_code}{again}){error}"


def plain(text: str) -> str:
    """``text`` for a terminal: at most the last 1 MiB, its lines kept, without what could steer the terminal."""
    return _UNSEEN.sub("", text[-MOST_LOG:])


def last_lines(path: Path, tail: int) -> str:
    """The last lines of a log, of its last 64 KiB; nothing where there is none.

    A container may have written it: no link is followed, and what is no file is not read. Raises: MachineError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file, guarded(path, "read"):
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return ""
        file.seek(max(0, found.st_size - _LOG_END))
        lines = file.read(_LOG_END).decode("utf-8", "replace").splitlines()
    return "".join(f"{line}\n" for line in lines[-tail:])
