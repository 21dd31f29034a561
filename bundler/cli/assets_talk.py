"""What is being done, as one line on the terminal that is written over; the table afterwards tells all of it.

Rules: only on a terminal, on stderr, and nothing of it is left behind, so that results and errors stand alone.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bundler.cli.output import clean

if TYPE_CHECKING:
    from kibana_assets.install.plan import Change

_CLEAR: Final = "\r\x1b[2K"


@dataclass(slots=True)
class Talk:
    """``changed`` is told of each change when it is done, ``step`` of what comes then."""

    total: int
    shown: bool
    done: int = 0

    def changed(self, change: Change) -> None:
        """One change is done."""
        self.done += 1
        self.step(f"{self.done} of {self.total}: {change.action} {change.kind} {change.id}")

    def step(self, text: str) -> None:
        """Show ``text`` in the place of what was shown before; cut where the line ends."""
        if self.shown:
            width = shutil.get_terminal_size().columns - 1
            print(f"{_CLEAR}{clean(text)[:width]}", end="", file=sys.stderr, flush=True)


@contextmanager
def talking(changes: Sequence[Change]) -> Iterator[Talk]:
    """The talk of a command that makes these changes; its line is taken away at the end, and before an error."""
    todo = sum(one.action != "keep" for one in changes)
    talk = Talk(todo, sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb")
    try:
        yield talk
    finally:
        if talk.shown:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
