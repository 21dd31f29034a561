"""Threads that do a build's tasks: the first failure stops all, and Ctrl-C leaves at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeAlias

from bundler.pack.fetch import CHUNK, Stopped

Task: TypeAlias = "Callable[[memoryview], Iterable[Task]]"
"""Called with a buffer of CHUNK bytes that is its own meanwhile; returns the tasks that it made possible."""

_POLL = 0.2


def work(tasks: Iterable[Task], jobs: int, stop: Event) -> None:
    """Do ``tasks`` and those that they return on ``jobs`` threads. Raises: the first error of a task."""
    crew = _Crew(tasks, stop)
    threads = [Thread(target=crew.labour, daemon=True) for _ in range(jobs)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():  # a join without time-out would hold Ctrl-C back
                thread.join(_POLL)
    finally:
        stop.set()
    if crew.errors:
        raise crew.errors[0]


class _Crew:
    """The queue that the threads share."""

    def __init__(self, tasks: Iterable[Task], stop: Event) -> None:
        self._queue: SimpleQueue[Task] = SimpleQueue()
        self._stop = stop
        self.errors: list[BaseException] = []
        for task in tasks:
            self._queue.put(task)

    def labour(self) -> None:
        buffer = memoryview(bytearray(CHUNK))
        while not self._stop.is_set():
            try:
                task = self._queue.get_nowait()
            except Empty:
                return
            try:
                for more in task(buffer):
                    self._queue.put(more)
            except Stopped:
                return
            except BaseException as error:  # noqa: BLE001 - handed to the thread that asked, which raises it
                self.errors.append(error)
                self._stop.set()
