"""One connection to a model's server, stage by stage, so that each stage can be named when it fails.

Rules: names, TCP, TLS and HTTP are separate steps; each failure is a ``Broken`` with its reason. Every answer is
bounded in size and in time, also one that drips. The address is called as it stands: no proxy of the environment, no
redirect, as Kibana calls it.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from preconfigured.address import Address
from preconfigured.errors import UsageError
from preconfigured.live.reasons import Reason, reason

LARGEST = 4 * 1024 * 1024
_PIECE = 65536


class Broken(Exception):
    """A stage failed; ``reason`` says where to mend."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.found)
        self.reason = why


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names are in lower case. ``seconds`` from the request to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Wire:
    """How to reach a server: ``timeout`` is in seconds, for connecting and for each whole answer."""

    address: Address
    token: str = field(repr=False)
    ca: Path | None = None
    timeout: float = 60.0

    def resolve(self) -> tuple[str, ...]:
        """The IP addresses behind the host's name.

        Raises:
            Broken: there is none.
        """
        try:
            found = socket.getaddrinfo(self.address.host, self.address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise self._broken(error) from error
        return tuple(dict.fromkeys(str(row[4][0]) for row in found))

    def connect(self) -> socket.socket:
        """A TCP connection.

        Raises:
            Broken: there is none.
        """
        try:
            return socket.create_connection((self.address.host, self.address.port), timeout=min(self.timeout, 10.0))
        except OSError as error:
            raise self._broken(error) from error

    def secure(self, connection: socket.socket) -> socket.socket:
        """The connection with TLS on it, the server's name and certificate verified; unchanged for http.

        Raises:
            Broken: the handshake failed; the connection is closed.
        """
        if self.address.scheme == "http":
            return connection
        try:
            return context(self.ca).wrap_socket(connection, server_hostname=self.address.host)
        except (OSError, ValueError) as error:
            connection.close()
            raise self._broken(error) from error

    def ask(self, method: str, path: str, body: bytes | None = None, *, token: bool = True) -> Answer:
        """Send one request on a connection of its own and read the whole answer.

        Raises:
            Broken: there was no whole answer.
        """
        begun = time.monotonic()
        with closing(self._open()) as connection:
            response = self._send(connection, method, path, body, token, begun)
            return self._answer(response, b"".join(piece for _, piece in self._pieces(response, begun)), begun)

    def stream(self, path: str, body: bytes) -> Iterator[tuple[float, bytes] | Answer]:
        """Send one request; yield each piece of a 200 with its seconds since the request, or the whole other answer.

        Raises:
            Broken: the answer ended too early.
        """
        begun = time.monotonic()
        with closing(self._open()) as connection:
            response = self._send(connection, "POST", path, body, True, begun)
            if response.status == 200:
                yield from self._pieces(response, begun)
            else:
                yield self._answer(response, b"".join(piece for _, piece in self._pieces(response, begun)), begun)

    def _open(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.address.host, self.address.port)
        connection.sock = self.secure(self.connect())
        return connection

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        token: bool,
        begun: float,
    ) -> http.client.HTTPResponse:
        usual = self.address.port == (443 if self.address.scheme == "https" else 80)
        host = f"[{self.address.host}]" if ":" in self.address.host else self.address.host
        headers = {
            "Host": host if usual else f"{host}:{self.address.port}",
            "User-Agent": "llm-bundle",
            "Accept": "application/json, text/event-stream",
            "Connection": "close",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        if token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.sock.settimeout(self.timeout)
            _request(connection, method, path, body, headers)
            connection.sock.settimeout(self._left(begun))
            return connection.getresponse()
        except TimeoutError as error:
            raise self._silent() from error
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error) from error

    def _pieces(self, response: http.client.HTTPResponse, begun: float) -> Iterator[tuple[float, bytes]]:
        size = 0
        try:
            while size <= LARGEST and self._left(begun):
                piece = response.read1(_PIECE)
                if not piece:
                    self._check_whole(response)
                    return
                size += len(piece)
                yield time.monotonic() - begun, piece
        except TimeoutError as error:
            raise self._silent() from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._broken(error) from error
        raise Broken(Reason("model-server", f"the answer has more than {LARGEST} bytes", "Is this a model's server?"))

    def _check_whole(self, response: http.client.HTTPResponse) -> None:
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)

    def _left(self, begun: float) -> float:
        left = self.timeout - (time.monotonic() - begun)
        if left <= 0:
            raise TimeoutError
        return left

    def _answer(self, response: http.client.HTTPResponse, body: bytes, begun: float) -> Answer:
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body, time.monotonic() - begun)

    def _silent(self) -> Broken:
        fix = "The model hangs, is overloaded or still loading: see its log; or allow more time."
        return Broken(Reason("model-server", f"connected, but no whole answer within {self.timeout:g} s", fix))

    def _broken(self, error: BaseException) -> Broken:
        return Broken(reason(error, self.address.host, "--ca"))


def context(ca: Path | None) -> ssl.SSLContext:
    """How certificates are verified: against one PEM file, or against what the system trusts.

    Raises:
        UsageError: the file cannot be read or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ValueError) as error:
        why = "holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else "cannot be read"
        raise UsageError(f"--ca {ca}: {why}", hint="Name the PEM file of the authority that signed.") from error


def _request(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> None:
    """Send; a server that answers before it has read all (413) and hangs up is still heard."""
    try:
        connection.request(method, path, body, headers)
    except (BrokenPipeError, ConnectionResetError):
        if body is None:
            raise
