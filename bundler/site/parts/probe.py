"""Whether something answers, asked from this host; a few seconds at most, and never an error."""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import closing
from typing import Final

_SECONDS: Final = 3.0


def answers(address: str, port: int, path: str) -> bool:
    """Whether ``GET path`` answers 200."""
    with closing(http.client.HTTPConnection(address, port, timeout=_SECONDS)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def shakes_hands(address: str, port: int, server_name: str) -> bool:
    """Whether a TLS server for that name is there; whose it is, is not looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=server_name),
        ):
            return True
    except (OSError, ValueError):
        return False


def silence(address: str, port: int) -> str:
    """What it means that nobody shakes hands there."""
    return f"nothing speaks TLS with this host at port {port} of {address}"
