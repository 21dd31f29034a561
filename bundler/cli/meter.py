"""Progress for people: a bar on a terminal, a plain line now and then elsewhere, nothing when asked for silence."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from bundler.cli.output import clean
from bundler.disk import size_text
from bundler.progress import SILENT, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

_EVERY = 10.0
"""Seconds between two plain lines."""


def meter(quiet: bool) -> Progress:
    """The progress that fits where stderr goes."""
    if quiet:
        return SILENT
    return Bar() if sys.stderr.isatty() else Lines()


class Lines:
    """A line on stderr every ten seconds, and one at the end of a step that had any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._title, self._total, self._done = "", 0, 0
        self._said = self._began = 0.0

    def begin(self, title: str, total: int) -> None:
        self._title, self._total, self._done = title, total, 0
        self._began = self._said = time.monotonic()

    def advance(self, count: int) -> None:
        with self._lock:
            self._done += count
            now = time.monotonic()
            if now - self._said < _EVERY:
                return
            self._said = now
            part = 100 * self._done // max(1, self._total)
        self.say(f"{self._title}: {size_text(self._done)} of {size_text(self._total)} ({part} %)")

    def say(self, text: str) -> None:
        print(clean(text), file=sys.stderr, flush=True)

    def end(self) -> None:
        seconds = time.monotonic() - self._began
        if self._title and seconds >= _EVERY:
            self.say(f"{self._title}: {size_text(self._done)} in {seconds:.1f} s")
        self._title = ""


class Bar:
    """A bar of rich on stderr, redrawn by rich's own thread."""

    def __init__(self) -> None:
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._lock = threading.Lock()
        self._pending = 0
        self._drawn = 0.0

    def begin(self, title: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bars
        from rich.table import Column

        self.end()
        console = Console(stderr=True)
        wide = [TransferSpeedColumn(), TimeRemainingColumn()] if console.width >= 90 else []
        self._bars = Bars(
            TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
            BarColumn(bar_width=max(5, console.width // 4)),
            DownloadColumn(table_column=Column(no_wrap=True)),
            *wide,
            console=console,
            transient=True,
            expand=True,
        )
        self._bars.start()
        self._task = self._bars.add_task(clean(title), total=total)

    def advance(self, count: int) -> None:
        # rich takes a lock and keeps a sample at every call: gather, and tell it ten times a second.
        with self._lock:
            self._pending += count
            now = time.monotonic()
            if now - self._drawn < 0.1:
                return
            self._drawn, pending, self._pending = now, self._pending, 0
        if self._bars and self._task is not None:
            self._bars.advance(self._task, pending)

    def say(self, text: str) -> None:
        if self._bars:
            self._bars.console.print(clean(text), markup=False, highlight=False)
        else:
            print(clean(text), file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._bars:
            self._bars.stop()
        self._bars = self._task = None
        self._pending = 0
