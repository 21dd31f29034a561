"""``python -m bench.hashing BYTES``: hashlib's SHA-256 over BYTES on two threads, start-up not counted.

Prints the seconds twice: over memory that is larger than a core's caches, as any payload is, and over one block that
never leaves them, which nothing that reads a file can reach.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from threading import Thread

_BLOCK = 256 << 10
_MEMORY = 512 << 20


def _seconds(count: int, memory: list[memoryview]) -> float:
    """How long two threads take for ``count`` bytes, each going round in its own ``memory``."""
    threads = [Thread(target=_hash, args=(count // 2, own)) for own in memory]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def _hash(count: int, memory: memoryview) -> None:
    digest = hashlib.sha256()
    for at in range(0, count, _BLOCK):
        start = at % len(memory)
        digest.update(memory[start : start + min(_BLOCK, count - at)])


def main() -> None:
    """Hash, half of it on each thread."""
    count = int(sys.argv[1])
    large = [memoryview(bytearray(os.urandom(_BLOCK) * (_MEMORY // _BLOCK))) for _ in range(2)]
    print(_seconds(count, large), _seconds(count, [one[:_BLOCK] for one in large]))


if __name__ == "__main__":
    main()
