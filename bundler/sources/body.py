"""The body of an HTTP answer as a Reader: straight from the socket's buffer into the caller's memory.

Rules: a body never yields more than it should (SourceError) nor ends early in silence (TransientError).
A line that brings next to nothing counts as stalled. What had arrived before a failure is handed out
first, so that nothing is fetched twice.

``requests`` and ``urllib3`` offer only reads that make new bytes objects, which costs a third of the
speed; so the ``http.client`` response below them is read, and told afterwards that it was.
"""

from __future__ import annotations

import http.client
import time
from typing import cast

import requests
import urllib3

from bundler.errors import SourceError, TransientError
from bundler.sources import faults

_SLICE_SECONDS = 1.0
_STALL_BYTES = 1024


class Body:
    """Bytes from ``offset`` on; ``length`` of them are expected, or an unknown number (None)."""

    def __init__(self, response: requests.Response, url: str, *, offset: int, length: int | None, stall: float) -> None:
        self.offset = offset
        self._response = response
        self._url = url
        self._left = length
        self._stall = stall
        self._http = cast(http.client.HTTPResponse, response.raw._fp)
        self._failure: SourceError | None = None
        self._ended = False
        self._arrived = 0
        self._waited = 0.0

    def readinto(self, buffer: memoryview) -> int:
        """See ``interface.Reader``; returns after about a second with what has come so far."""
        if self._failure:
            raise self._failure
        begun = time.monotonic()
        filled = 0
        try:
            while filled < len(buffer) and not self._ended:
                filled += self._some(buffer[filled:])
                if time.monotonic() - begun > _SLICE_SECONDS:
                    break
            self._check_pace(filled, time.monotonic() - begun)
        except SourceError as error:
            if not filled:
                raise
            self._failure = error
        return filled

    def close(self) -> None:
        """Keep the connection for the next request when the body was read whole, else cut it."""
        if self._ended:
            self._http.close()
            self._response.raw.release_conn()
        self._response.close()

    def _some(self, space: memoryview) -> int:
        if self._left == 0:
            return self._end(space)
        if self._left is not None and len(space) > self._left:
            space = space[: self._left]
        count = self._receive(space)
        if self._left is not None:
            self._left -= count
        if not count:
            missing = self._left or self._http.length
            if missing:
                raise TransientError(f"{self._url}: the connection was cut, {missing} bytes were missing")
            self._ended = True
        elif self._left == 0 and self._http.length == 0:
            self._ended = True
        return count

    def _end(self, space: memoryview) -> int:
        """All that should come has come: see that nothing follows where the framing allows more."""
        if self._http.length != 0 and self._receive(space[:1]):
            raise SourceError(f"{self._url}: the server sent more bytes than the file should have")
        self._ended = True
        return 0

    def _receive(self, space: memoryview) -> int:
        try:
            if self._http.chunked:
                data = self._http.read1(len(space))
                space[: len(data)] = data
                return len(data)
            count = 0 if self._http.isclosed() else self._http.fp.readinto1(space)
        except (http.client.HTTPException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            ours, cause = faults.of_exception(self._url, error)
            raise ours from cause
        if self._http.length is not None:
            self._http.length -= count
        return count

    def _check_pace(self, count: int, seconds: float) -> None:
        """Time outside of ``readinto`` does not count: a slow disk is not the server's fault."""
        self._arrived += count
        self._waited += seconds
        if self._waited >= self._stall and not self._ended:
            if self._arrived < _STALL_BYTES:
                came = f"only {self._arrived} bytes came in {self._waited:.0f} s"
                raise TransientError(f"{self._url}: the connection stalled, {came}")
            self._arrived, self._waited = 0, 0.0
