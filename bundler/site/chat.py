"""A real chat completion by the way that a client goes: through TLS with a token, or straight to the engine.

Rules: the certificate is held against the one that the proxy is to have, name included, so that no other server can
pass for it; nothing of a proxy in the environment is used; every read is bounded; neither token nor answer is shown.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bundler.disk import guarded
from bundler.errors import EngineError

_MOST: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """The way to the service: address and port, and for TLS the name and the certificate (PEM) that it must show."""

    address: str
    port: int
    server_name: str | None = None
    certificate: Path | None = None
    token: str | None = field(default=None, repr=False)


def completion(line: Line, model: str, *, seconds: float = 300) -> str:
    """Ask ``model`` for a few words; what it said. Raises: EngineError unless it is a chat completion."""
    body = {"model": model, "messages": [{"role": "user", "content": "Say: ready"}], "max_tokens": 16}
    document = ask(line, "/v1/chat/completions", body, seconds=seconds)
    try:
        message = document["choices"][0]["message"]
        return str(message.get("content") or message.get("reasoning_content") or "")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise EngineError("the chat completion: expected choices with a message, found something else") from error


def ask(line: Line, path: str, body: dict[str, Any], *, seconds: float) -> Any:
    """POST ``body`` as JSON; the answer's JSON. Raises: EngineError, without the answer's text where it is a 200."""
    status, data = exchange(line, "POST", path, body, seconds=seconds)
    if status != 200:
        raise EngineError(f"{path}: expected 200, found {status}: {said(data)}")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EngineError(f"{path}: expected JSON, found something else") from error


def exchange(
    line: Line, method: str, path: str, body: dict[str, Any] | None = None, *, seconds: float
) -> tuple[int, bytes]:
    """The status and the first 4 MiB that ``path`` answers, whatever they are. Raises: EngineError for no answer."""
    with connected(line, path, seconds) as connection:
        send(connection, line, method, path, body)
        with connection.getresponse() as answer:
            return answer.status, answer.read(_MOST + 1)


@contextmanager
def connected(line: Line, path: str, seconds: float) -> Iterator[http.client.HTTPConnection]:
    """A connection, closed afterwards. Raises: EngineError, that ``path`` gave no answer, for what goes wrong on it."""
    connection = _connection(line, seconds)
    try:
        yield connection
    except (OSError, http.client.HTTPException) as error:
        raise EngineError(f"{path}: no answer: {_reason(error)}") from error
    finally:
        connection.close()


def send(
    connection: http.client.HTTPConnection, line: Line, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """Send a request as a client of ``line`` does; ``body`` as JSON."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if line.token:
        headers["Authorization"] = f"Bearer {line.token}"
    if line.server_name:
        headers["Host"] = line.server_name
    connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)


def _connection(line: Line, seconds: float) -> http.client.HTTPConnection:
    if line.certificate is None:
        return http.client.HTTPConnection(line.address, line.port, timeout=seconds)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The certificate itself is the root of trust: a private CA need not be known on this host.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with guarded(line.certificate, "read"):
        try:
            context.load_verify_locations(cafile=line.certificate)
        except ssl.SSLError as error:
            raise EngineError(f"{line.certificate}: cannot be read as a certificate: {error.reason}") from error
    return _Named(line, context, seconds)


class _Named(http.client.HTTPSConnection):
    """Connects to one address, and asks for the certificate of another name."""

    def __init__(self, line: Line, context: ssl.SSLContext, seconds: float) -> None:
        super().__init__(line.address, line.port, timeout=seconds, context=context)
        self._named = (context, line.server_name or line.address)

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        context, name = self._named
        self.sock = context.wrap_socket(self.sock, server_hostname=name)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not the one expected: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__ if not str(error) else str(error)[:200]


def said(data: bytes) -> str:
    """What a refusal says, in one line of at most 300 characters."""
    return " ".join(data[:2000].decode(errors="replace").split())[:300] or "nothing"
