"""Sends a file as the stand-in hub and its storage do, with the faults that are switched on.

A file on disk goes out by ``sendfile``; nothing is loaded, since benchmarks serve gigabytes.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import BinaryIO

from tests.counterparts.hub_repository import Stored

_DRIP = 16


@dataclass(slots=True)
class Faults:
    """Switches for the bodies of files.

    ``cut_after``: bytes after which the line is cut, for the next ``cuts`` bodies; ``shift``: how far
    Content-Range lies; ``drip``: seconds between pieces of 16 bytes; ``etag``: what is said instead.
    ``lifetime``: seconds that a signed address is good for. ``failures``: answers (status, headers) given
    instead of the next ones, by the hub and by the storage. ``warning`` is one that the client would print,
    ``silences`` are seconds that the hub waits before its next answers.
    """

    ranges: bool = True
    cut_after: int | None = None
    cuts: int = 1 << 30
    wrong_bytes: bool = False
    shift: int = 0
    drip: float = 0.0
    etag: str | None = None
    lifetime: float = 3600.0
    warning: str = ""
    hub_failures: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    storage_failures: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    silences: deque[float] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_cut(self) -> int | None:
        """After how many bytes this body is to be cut, None for not at all."""
        with self.lock:
            if self.cut_after is None or self.cuts <= 0:
                return None
            self.cuts -= 1
            return self.cut_after


def send(handler: BaseHTTPRequestHandler, stored: Stored, headers: dict[str, str], faults: Faults) -> None:
    """Answer a GET or HEAD for ``stored``, whole or from the byte that ``Range`` names."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", "")) if faults.ranges else None
    start = int(match[1]) if match else 0
    end = min(int(match[2]) + 1, stored.size) if match and match[2] else stored.size
    if match and start >= stored.size:
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{stored.size}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    handler.send_response(206 if match else 200)
    if match:
        first, last = start + faults.shift, end - 1 + faults.shift
        handler.send_header("Content-Range", f"bytes {first}-{last}/{stored.size}")
    for name, value in headers.items():
        handler.send_header(name, value)
    if faults.ranges:
        handler.send_header("Accept-Ranges", "bytes")
    handler.send_header("ETag", f'"{faults.etag or stored.etag}"')
    handler.send_header("Content-Length", str(end - start))
    handler.end_headers()
    if handler.command != "HEAD":
        _send_body(handler, stored, start, end - start, faults)


def _send_body(handler: BaseHTTPRequestHandler, stored: Stored, start: int, count: int, faults: Faults) -> None:
    cut = faults.take_cut()
    if cut is not None:
        count = min(count, cut)
        handler.close_connection = True
    handler.wfile.flush()
    with _opened(stored) as file:
        if faults.drip or faults.wrong_bytes:
            file.seek(start)
            _send_faulty(handler, file.read(count), faults)
        elif count:
            handler.connection.sendfile(file, start, count)


def _send_faulty(handler: BaseHTTPRequestHandler, data: bytes, faults: Faults) -> None:
    if faults.wrong_bytes:
        data = bytes([data[0] ^ 1]) + data[1:] if data else data
    step = _DRIP if faults.drip else max(len(data), 1)
    for at in range(0, len(data), step):
        handler.wfile.write(data[at : at + step])
        handler.wfile.flush()
        time.sleep(faults.drip)


def _opened(stored: Stored) -> BinaryIO:
    return io.BytesIO(stored.content) if isinstance(stored.content, bytes) else stored.content.open("rb")
