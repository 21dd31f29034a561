"""Doing one thing to many slots on all cores. Ctrl-C leaves at once; the first error of the machine stops all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Small enough to stay in a core's own cache between the read and the hash: measurably faster than 1 MiB.
CHUNK = 256 << 10
_POLL = 0.2


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(items: Iterable[T], action: Callable[[T, memoryview], R], *, jobs: int = 0) -> list[R]:
    """``action(item, buffer)`` for every item, in any order, each thread with a buffer of its own."""
    queue: SimpleQueue[T] = SimpleQueue()
    for item in items:
        queue.put(item)
    results: list[R] = []
    errors: list[BaseException] = []
    stop = Event()

    def labour() -> None:
        buffer = memoryview(bytearray(CHUNK))
        while not stop.is_set():
            try:
                results.append(action(queue.get_nowait(), buffer))
            except Empty:
                return
            except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that asked
                errors.append(error)
                stop.set()

    threads = [Thread(target=labour, daemon=True) for _ in range(jobs or cores())]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_POLL)
    finally:
        stop.set()
    if errors:
        raise errors[0]
    return results
