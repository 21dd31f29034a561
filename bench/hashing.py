"""``python -m bench.hashing BYTES``: hashlib's SHA-256 over BYTES of memory on two threads; prints the seconds."""

from __future__ import annotations

import hashlib
import sys
import time
from threading import Thread

_PIECE = bytes(256 << 10)


def _hash(count: int) -> None:
    digest = hashlib.sha256()
    for _ in range(count // len(_PIECE)):
        digest.update(_PIECE)


def main() -> None:
    """Hash, half of it on each thread."""
    threads = [Thread(target=_hash, args=(int(sys.argv[1]) // 2,)) for _ in range(2)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
