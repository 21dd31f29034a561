"""Threads that share a queue of tasks: the first failure stops all, and Ctrl-C leaves at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final, TypeAlias, TypeVar

Task: TypeAlias = "Callable[[memoryview], Iterable[Task]]"
"""Called with a buffer that is its own meanwhile; returns the tasks that it made possible."""

T = TypeVar("T")
R = TypeVar("R")

_POLL: Final = 0.2


class Stopped(BaseException):
    """What a task raises to leave quietly, because another one has failed."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work(tasks: Iterable[Task], *, jobs: int, chunk: int, stop: Event) -> None:
    """Do ``tasks`` and those that they return on ``jobs`` threads, each with a buffer of ``chunk`` bytes.

    Raises: the first error of a task, after ``stop`` was set for the others.
    """
    crew = _Crew(tasks, chunk, stop)
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


def each(items: Iterable[T], action: Callable[[T, memoryview], R], *, chunk: int) -> list[R]:
    """``action(item, buffer)`` for every item on all cores; the results, in any order."""
    results: list[R] = []

    def task(item: T) -> Task:
        def run(buffer: memoryview) -> Iterable[Task]:
            results.append(action(item, buffer))
            return ()

        return run

    work(map(task, items), jobs=cores(), chunk=chunk, stop=Event())
    return results


class _Crew:
    """The queue that the threads share."""

    def __init__(self, tasks: Iterable[Task], chunk: int, stop: Event) -> None:
        self._queue: SimpleQueue[Task] = SimpleQueue()
        self._chunk = chunk
        self._stop = stop
        self.errors: list[BaseException] = []
        for task in tasks:
            self._queue.put(task)

    def labour(self) -> None:
        buffer = memoryview(bytearray(self._chunk))
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
