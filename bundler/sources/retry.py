"""Trying again: which wait follows which failure, and when to give up.

Rules: only a TransientError is tried again. What the server asks for (Retry-After) is kept, up to five
minutes; without it waits double from about one second and are spread by chance, so that parallel
downloads do not come back all at once. Every wait is said.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from bundler.errors import TransientError
from bundler.progress import SILENT, Progress

T = TypeVar("T")

ATTEMPTS = 6
_LONGEST_OWN = 60.0
_LONGEST_ASKED = 300.0
_HINT = "Check the connection, proxies (HTTPS_PROXY, NO_PROXY) and the server, then run the command again."


class Backoff:
    """Counts failures in a row; ``attempts`` includes the first one. Used by one thread."""

    def __init__(
        self,
        attempts: int = ATTEMPTS,
        *,
        progress: Progress = SILENT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._attempts = attempts
        self._progress = progress
        self._sleep = sleep
        self._failures = 0

    def reset(self) -> None:
        """Start counting anew, as after bytes have arrived."""
        self._failures = 0

    def wait(self, error: TransientError) -> None:
        """Sleep before the next attempt. Raises: TransientError, with a hint, when none is left."""
        self._failures += 1
        if self._failures >= self._attempts:
            tried = f"{error.message} (tried {self._failures} times)" if self._failures > 1 else error.message
            raise TransientError(tried, hint=error.hint or _HINT, retry_after=error.retry_after) from error
        seconds = self._seconds(error.retry_after)
        of = f"attempt {self._failures + 1} of {self._attempts}"
        self._progress.say(f"{error.message}; trying again in {seconds:.0f} s ({of})")
        self._sleep(seconds)

    def _seconds(self, asked: float | None) -> float:
        if asked:
            return min(asked, _LONGEST_ASKED)
        doubled: float = 2.0 ** min(self._failures - 1, 10)
        return min(doubled, _LONGEST_OWN) * random.uniform(0.5, 1.0)


def retrying(
    action: Callable[[], T],
    *,
    progress: Progress = SILENT,
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call ``action`` until it succeeds. Raises: the last TransientError after ``attempts``."""
    backoff = Backoff(attempts, progress=progress, sleep=sleep)
    while True:
        try:
            return action()
        except TransientError as error:
            backoff.wait(error)
