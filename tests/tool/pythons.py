"""The interpreters of this machine that the tool is for, and those that are too old for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache

OLDEST = (3, 10)
# Of a virtual environment the Python that it stands on.
_VERSION = "import os, sys; print(*sys.version_info[:2], os.path.realpath(sys.executable))"
_EXTRA = "LLM_BUNDLE_TEST_PYTHONS"
"""An environment variable: more interpreters, as PATH has folders."""


@lru_cache(maxsize=1)
def fit() -> tuple[str, ...]:
    """One of each version that will do, the oldest first; at least one, since the tests run with it."""
    return tuple(path for version, path in sorted(_found().items()) if version >= OLDEST)


@lru_cache(maxsize=1)
def too_old() -> tuple[str, ...]:
    """One of each version that will not do; perhaps none."""
    return tuple(path for version, path in sorted(_found().items()) if version < OLDEST)


@lru_cache(maxsize=1)
def _found() -> dict[tuple[int, ...], str]:
    found: dict[tuple[int, ...], str] = {}
    for path in _candidates():
        done = subprocess.run([path, "-Ic", _VERSION], capture_output=True, text=True, timeout=30, check=False)
        words = done.stdout.split()
        if done.returncode == 0 and len(words) == 3:
            found.setdefault((int(words[0]), int(words[1])), words[2])
    return found


def _candidates() -> Iterator[str]:
    """Debian's own first: the one that a bare site has."""
    names = ("/usr/bin/python3", *(f"python3.{minor}" for minor in range(6, 16)), "python3")
    yield from filter(None, (*os.environ.get(_EXTRA, "").split(os.pathsep), *map(shutil.which, names)))
