"""Answers that are there in time as a whole: http.client bounds only the wait for each piece.

Rules: the time that a connection has for reading, which urllib3 sets on its socket, is that of the whole answer, from
the status line to the end of the body: of interim answers (1xx), of headers and of what follows the last chunk, too,
which are read one after the other and may never end. A header that is none is refused, as curl does.
"""

from __future__ import annotations

import http.client
import io
import time
from socket import SocketIO, socket
from typing import Any, Final, cast

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

SEND_SECONDS: Final = 300.0
"""How long sending may take, as of a package's zip file over a slow line; else it would be the time to connect."""
_HARMLESS: Final = ("StartBoundaryNotFoundDefect", "MultipartInvariantViolationDefect")
"""What Python's parser says of a multipart type without its body, which is not read by it."""


class TimedResponse(http.client.HTTPResponse):
    """An answer whose every read ends when the time is over. Raises: TimeoutError."""

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = cast(SocketIO, self.fp.detach())
        self.fp = io.BufferedReader(_Timed(raw, sock, sock.gettimeout()))

    def begin(self) -> None:
        """Raises: HTTPException for a header that is none."""
        super().begin()
        if any(type(one).__name__ not in _HARMLESS for one in self.msg.defects):
            self.close()
            raise http.client.HTTPException


class _Timed(io.RawIOBase):
    def __init__(self, raw: SocketIO, sock: socket, seconds: float | None) -> None:
        self._raw, self._socket = raw, sock
        self._ends = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if self._ends is not None:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Plain(HTTPConnection):
    response_class = TimedResponse

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(SEND_SECONDS)


class _Secure(HTTPSConnection):
    response_class = TimedResponse

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(SEND_SECONDS)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


POOLS: Final = {"http": _PlainPool, "https": _SecurePool}
"""By scheme, as urllib3's pool managers take them."""
