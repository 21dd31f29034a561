"""SHA-256 of files on this machine, several at once.

Rules: two threads at least, for hashing leaves the interpreter's lock; the biggest files first, so that
none is left alone at the end; memory is one buffer a thread. A file that is written to meanwhile is
refused, not half believed.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bundler.digest import Digest
from bundler.errors import BundleError, IntegrityError
from bundler.progress import SILENT, Progress
from bundler.sources.interface import LocalRange
from bundler.sources.local import LocalSource, unreadable

_BUFFER = 1 << 20


def hash_ranges(origins: Iterable[LocalRange], title: str, progress: Progress = SILENT) -> dict[LocalRange, Digest]:
    """The digest of each of ``origins``.

    Raises: IntegrityError when one becomes shorter or changes meanwhile; SourceError or MachineError when
    one cannot be read.
    """
    queue = sorted(set(origins), key=lambda origin: -origin.size)
    if not queue:
        return {}
    stop = threading.Event()

    def hash_one(origin: LocalRange) -> Digest:
        try:
            return _hash(origin, stop, progress.advance)
        except BundleError:
            stop.set()  # the others end early; what they return then is never seen, for this error is
            raise

    progress.begin(title, sum(origin.size for origin in queue))
    pool = ThreadPoolExecutor(max_workers=max(2, min(8, os.cpu_count() or 2)), thread_name_prefix="hash")
    try:
        return dict(zip(queue, pool.map(hash_one, queue), strict=True))
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
        progress.end()


def _hash(origin: LocalRange, stop: threading.Event, advance: Callable[[int], None]) -> Digest:
    found = hashlib.sha256()
    buffer = memoryview(bytearray(min(_BUFFER, origin.size or 1)))
    before = _state(origin.path)
    reader = LocalSource().open(origin, 0)
    try:
        while not stop.is_set() and (count := reader.readinto(buffer)):
            found.update(buffer[:count])
            advance(count)
    finally:
        reader.close()
    if _state(origin.path) != before:
        hint = "Wait until whoever writes it has finished, and run again."
        raise IntegrityError(f"{origin.path}: changed while it was read", hint=hint)
    return Digest(found.hexdigest())


def _state(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return found.st_ino, found.st_size, found.st_mtime_ns
