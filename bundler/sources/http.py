"""Files at plain http and https addresses."""

from __future__ import annotations

import re

from bundler.errors import SourceError
from bundler.sources.address import safe
from bundler.sources.interface import Origin, Reader, Url
from bundler.sources.transport import StatusError, Transport
from bundler.sources.url_mirrors import UrlMirrors

_CONTENT_RANGE = re.compile(r"bytes 0-0/([0-9]{1,18})")


class Http:
    """The source of ``Url`` origins, by their mirrors first."""

    def __init__(self, transport: Transport, mirrors: UrlMirrors | None = None) -> None:
        self._transport = transport
        self._mirrors = mirrors or UrlMirrors()

    def open(self, origin: Origin, offset: int) -> Reader:
        """Open an address, see ``interface.Source``."""
        if not isinstance(origin, Url):
            raise TypeError(f"expected a Url, got {origin!r}")
        return self._mirrors.first_good(origin.url, lambda url: self._open(url, offset))

    def look(self, url: str) -> int:
        """The size in bytes of the file at ``url``. Raises: SourceError, also when the server does not say it."""
        return self._mirrors.first_good(url, self._size)

    def small(self, url: str, limit: int) -> bytes:
        """The whole file at ``url``, of at most ``limit`` bytes. Raises: SourceError."""
        return self._mirrors.first_good(url, lambda one: self._small(one, limit))

    def _small(self, url: str, limit: int) -> bytes:
        try:
            return self._transport.small(url, limit=limit).body
        except StatusError as error:
            raise _explained(error) from error

    def _open(self, url: str, offset: int) -> Reader:
        try:
            return self._transport.open(url, offset=offset)
        except StatusError as error:
            raise _explained(error) from error

    def _size(self, url: str) -> int:
        size = look(url, self._transport)
        if size is None:
            hint = "Use another server; a model can also be downloaded, and used as {id: …, folder: PATH}."
            raise SourceError(f"{safe(url)}: the server does not say how large the file is", hint=hint)
        return size


def look(url: str, transport: Transport) -> int | None:
    """The size in bytes of the file at ``url``, None when the server does not say.

    Raises: SourceError when it is not there, not allowed or not reachable.
    """
    try:
        size = transport.small(url, method="HEAD", limit=0).headers.get("Content-Length", "")
        if re.fullmatch("[0-9]{1,18}", size):
            return int(size)
    except StatusError:
        pass  # addresses signed for GET refuse HEAD, and some servers do not know it
    return _by_range(url, transport)


def _by_range(url: str, transport: Transport) -> int | None:
    """Ask for one byte; a server that sends all instead is cut off after its headers."""
    try:
        answer = transport.headers(url, headers={"Range": "bytes=0-0"})
    except StatusError as error:
        if error.status == 416:
            return 0  # no first byte: the file is empty
        raise _explained(error) from error
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    if answer.status == 206:
        return int(match[1]) if match else None
    length = answer.headers.get("Content-Length", "")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else None


def _explained(error: StatusError) -> SourceError:
    if error.status in (401, 403):
        hint = "Files behind a login cannot be fetched by address: give another one, or a folder on disk."
        return SourceError(error.message, hint=hint)
    if error.status == 416:
        hint = "It is shorter than the one that was locked. If that is meant: llm-bundle lock --update."
        return SourceError(f"{error.url}: the file there is another one by now", hint=hint)
    if error.status in (404, 410):
        return SourceError(error.message, hint="Check the address in a browser.")
    return error
