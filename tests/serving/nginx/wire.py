"""Requests byte by byte: HTTP/1.1 by raw sockets, HTTP/2 by frames whose headers nobody checked."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.counterparts.certificates import Certificate
from tests.serving.nginx.running import NAME, client_context

MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; status 0 where the connection ended without one. The names of headers in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header; with several, joined."""
        found = [value for key, value in self.headers if key == name]
        return ", ".join(found) if found else None


CLOSED = Reply(0, (), b"")


def connect(port: int, certificate: Certificate | None, sni: str | None, *alpn: str) -> socket.socket:
    """A connection; with ``certificate``, TLS."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    if certificate is None:
        return raw
    context = client_context(certificate, *alpn)
    context.check_hostname = sni == NAME
    return context.wrap_socket(raw, server_hostname=sni)


def http1(port: int, request: bytes, certificate: Certificate | None = None, sni: str | None = NAME) -> Reply:
    """Send ``request`` as it stands and read one answer."""
    with connect(port, certificate, sni) as line:
        line.sendall(request)
        return read_reply(line, bodiless=request.startswith(b"HEAD "))


def read_reply(line: socket.socket, *, bodiless: bool = False) -> Reply:
    """The answer, up to its length or the end of the connection."""
    data = b""
    try:
        while len(data) < MOST and not (b"\r\n\r\n" in data if bodiless else _whole(data)):
            piece = line.recv(65536)
            if not piece:
                break
            data += piece
    except (ConnectionError, ssl.SSLError):
        pass
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rows = head.decode("latin-1").split("\r\n")
    if not first.startswith("HTTP/"):
        return Reply(0, (), data)
    pairs = [row.partition(":") for row in rows]
    return Reply(int(first.split(" ")[1]), tuple((k.lower(), v.strip()) for k, _, v in pairs), body)


def _whole(data: bytes) -> bool:
    head, gap, body = data.partition(b"\r\n\r\n")
    for row in head.lower().split(b"\r\n"):
        if gap and row.startswith(b"content-length:"):
            return len(body) >= int(row.partition(b":")[2])
        if gap and row.startswith(b"transfer-encoding:"):
            return body.endswith(b"0\r\n\r\n")
    return False


def http2(port: int, certificate: Certificate, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> Reply:
    """Send one request of HTTP/2 with these headers, pseudo-headers included, unchecked."""
    settings = h2.config.H2Configuration(
        validate_outbound_headers=False, normalize_outbound_headers=False, validate_inbound_headers=False
    )
    state = h2.connection.H2Connection(settings)
    with connect(port, certificate, NAME, "h2") as line:
        assert isinstance(line, ssl.SSLSocket)
        assert line.selected_alpn_protocol() == "h2"
        state.initiate_connection()
        state.send_headers(1, headers, end_stream=not body)
        if body:
            state.send_data(1, body, end_stream=True)
        try:
            line.sendall(state.data_to_send())
            return _read_stream(line, state)
        except (ConnectionError, ssl.SSLError, h2.exceptions.ProtocolError):
            return CLOSED


def _read_stream(line: socket.socket, state: h2.connection.H2Connection) -> Reply:
    found: tuple[tuple[str, str], ...] = ()
    body = b""
    while data := line.recv(65536):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                found = tuple((_text(name), _text(value)) for name, value in event.headers)
            elif isinstance(event, h2.events.DataReceived):
                body += event.data
            elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated)):
                return Reply(int(dict(found).get(":status", 0)), found, body)
        line.sendall(state.data_to_send())
    return Reply(int(dict(found).get(":status", 0)), found, body)


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
