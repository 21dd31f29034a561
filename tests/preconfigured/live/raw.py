"""A server that sends given bytes to everybody who asks, and hangs up: for answers that no real server gives."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_REQUEST = 65536
_DRIP = 16


@contextmanager
def raw(answer: bytes, *, drip: float = 0.0) -> Iterator[str]:
    """Its address. ``drip`` is the seconds between two pieces of 16 bytes; else all is sent at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        ended = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, answer, drip, ended))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            thread.join(10)


def _serve(listener: socket.socket, answer: bytes, drip: float, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection:
            connection.settimeout(5)
            try:
                if connection.recv(_REQUEST):
                    _send(connection, answer, drip, ended)
            except OSError:
                continue


def _send(connection: socket.socket, answer: bytes, drip: float, ended: threading.Event) -> None:
    size = _DRIP if drip else len(answer)
    for at in range(0, len(answer), size):
        if ended.is_set():
            return
        connection.sendall(answer[at : at + size])
        time.sleep(drip)
