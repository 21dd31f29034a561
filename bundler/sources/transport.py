"""HTTP for all sources: redirects, ranges, time-outs, certificates, and what must not leak.

Rules: redirects are followed by hand, at most ten. ``secret`` headers go to the origin (scheme, host,
port) of the first address and stay behind at the first redirect that leaves it. http:// is refused but
for the hosts named. A range is believed only with the right Content-Range. ``small`` tries again by
itself; ``open`` is one attempt. Proxies come from the environment; .netrc and cookies are not used.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import requests
import urllib3
from requests.adapters import HTTPAdapter

from bundler.errors import SourceError
from bundler.progress import SILENT, Progress
from bundler.sources import address, faults
from bundler.sources.body import Body
from bundler.sources.faults import PlainHttpError, StatusError
from bundler.sources.interface import Reader
from bundler.sources.proxies import check_proxies
from bundler.sources.retry import ATTEMPTS, retrying

__all__ = ["Answer", "PlainHttpError", "StatusError", "Transport"]

_REDIRECTS = 10
_ERROR_BODY = 64 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; ``url`` is the last one of the redirects, safe to print. Headers ignore case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Transport:
    """Sends requests; safe to use from several threads.

    ``plain_http``: host[:port] values where http:// is allowed; ``ca``: host[:port] → PEM file of a private
    CA; ``timeouts``: seconds to connect, and of a read that brings nothing. Raises: UsageError for a proxy in the
    environment that cannot be used.
    """

    def __init__(
        self,
        *,
        plain_http: Collection[str] = (),
        ca: Mapping[str, str] | None = None,
        timeouts: tuple[float, float] = (15.0, 60.0),
        progress: Progress = SILENT,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        check_proxies()
        self._plain_http = frozenset(plain_http)
        self._ca = dict(ca or {})
        self._timeouts = timeouts
        self._progress = progress
        self._attempts = attempts
        self._sleep = sleep
        self._session = _session()

    def small(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        secret: Mapping[str, str] | None = None,
        data: bytes | None = None,
        limit: int,
        attempts: int | None = None,
    ) -> Answer:
        """Get a whole body of at most ``limit`` bytes; a failure that may pass is tried again.

        Raises: StatusError for a final status; TransientError when all attempts failed; else SourceError.
        """

        def attempt() -> Answer:
            response, last = self._send(method, url, headers or {}, secret or {}, data)
            return self._whole(response, last, limit)

        return self._retrying(attempt, attempts or self._attempts)

    def headers(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """What ``small`` does for a GET, but the body is left unread and the connection is cut.

        Raises: as ``small`` does.
        """

        def attempt() -> Answer:
            response, last = self._send("GET", url, headers or {}, {}, None)
            response.close()
            return Answer(response.status_code, response.headers, b"", last)

        return self._retrying(attempt, self._attempts)

    def open(
        self,
        url: str,
        *,
        offset: int = 0,
        size: int | None = None,
        headers: Mapping[str, str] | None = None,
        secret: Mapping[str, str] | None = None,
    ) -> Reader:
        """Open a body of ``size`` bytes in all, at ``offset`` bytes. One attempt; ``Reader.offset`` may be 0.

        Raises: TransientError when it may pass; StatusError for a final status; SourceError for a wrong
        Content-Range or a length that contradicts ``size``.
        """
        asked = dict(headers or {})
        if offset:
            asked["Range"] = f"bytes={offset}-"
        response, last = self._send("GET", url, asked, secret or {}, None)
        try:
            start, length = _extent(response, last, offset, size)
        except SourceError:
            response.close()
            raise
        return Body(response, last, offset=start, length=length, stall=self._timeouts[1])

    def _retrying(self, attempt: Callable[[], Answer], attempts: int) -> Answer:
        return retrying(attempt, progress=self._progress, attempts=attempts, sleep=self._sleep)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], secret: Mapping[str, str], data: bytes | None
    ) -> tuple[requests.Response, str]:
        """The first answer that is no redirect, with its safe address."""
        url = address.without_user(url)
        first, carried = address.origin(url), dict(secret)
        for _ in range(_REDIRECTS + 1):
            response = self._once(method, url, {**headers, **carried}, data)
            location = response.headers.get("Location")
            if response.status_code not in (301, 302, 303, 307, 308) or not location or data is not None:
                return self._judged(response, address.safe(url)), address.safe(url)
            response.close()
            url = address.target(url, location)
            if address.origin(url) != first:
                carried = {}
        raise SourceError(f"{address.safe(url)}: more than {_REDIRECTS} redirects")

    def _once(self, method: str, url: str, headers: Mapping[str, str], data: bytes | None) -> requests.Response:
        address.check_plain(url, self._plain_http)
        try:
            return self._session.request(
                method,
                url,
                headers={"Accept-Encoding": "identity", **headers},
                data=data,
                stream=True,
                allow_redirects=False,
                timeout=self._timeouts,
                verify=self._ca.get(address.host(url)) or _authorities(),
            )
        except (OSError, urllib3.exceptions.HTTPError, UnicodeError) as error:
            ours, cause = faults.of_exception(address.safe(url), error)
            raise ours from cause

    def _judged(self, response: requests.Response, url: str) -> requests.Response:
        status = response.status_code
        if status in (200, 201, 202, 206):
            return response
        try:
            body = self._read(response, url, _ERROR_BODY)
        except SourceError:
            body = b""
        finally:
            response.close()
        raise faults.of_status(url, status, response.headers, body)

    def _whole(self, response: requests.Response, url: str, limit: int) -> Answer:
        try:
            # What is announced as too long is not waited for.
            announced = _content_length(response) or 0
            body = b"" if announced > limit else self._read(response, url, limit + 1)
            if max(announced, len(body)) > limit:
                raise SourceError(f"{url}: expected at most {limit} bytes, the server sent more")
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise SourceError(f"{url}: the server compressed its answer although asked not to")
            return Answer(response.status_code, response.headers, body, url)
        finally:
            response.close()

    def _read(self, response: requests.Response, url: str, limit: int) -> bytes:
        """At most ``limit`` bytes of the body."""
        length = _content_length(response)
        body = Body(response, url, offset=0, length=length, stall=self._timeouts[1])
        buffer = bytearray(limit if length is None else min(limit, length))
        filled = 0
        while filled < len(buffer):
            count = body.readinto(memoryview(buffer)[filled:])
            if not count:
                break
            filled += count
        body.close()
        return bytes(buffer[:filled])


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nothing: requests would read the whole body of a redirect, even when told not to follow it."""


def _session() -> requests.Session:
    session = _Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_connections=8, pool_maxsize=16))
    # A callable that does nothing: with no `auth` at all, requests would look into ~/.netrc.
    session.auth = lambda request: request
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "llm-bundle"
    return session


def _authorities() -> str | bool:
    """True lets requests read REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE; SSL_CERT_FILE is what OpenSSL knows."""
    if os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE"):
        return True
    return os.environ.get("SSL_CERT_FILE") or True


def _content_length(response: requests.Response) -> int | None:
    """How long the body will be, None when nobody says; a HEAD has none."""
    if response.request.method == "HEAD":
        return 0
    written = response.headers.get("Content-Length", "")
    chunked = "Transfer-Encoding" in response.headers
    return int(written) if re.fullmatch("[0-9]{1,18}", written) and not chunked else None


def _extent(response: requests.Response, url: str, offset: int, size: int | None) -> tuple[int, int | None]:
    """Where the body starts and how long it is, None when nobody says."""
    start = 0
    if response.status_code == 206:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if not offset or not match or int(match[1]) != offset:
            raise SourceError(f"{url}: asked for bytes from {offset} on, the server sent another range")
        if match[3] != "*":
            total = int(match[3])
            if size not in (None, total):
                raise SourceError(f"{url}: expected {size} bytes in all, the server has {total}")
            if int(match[2]) != total - 1:
                said = f"the server sent them up to {match[2]} of {total}"
                raise SourceError(f"{url}: asked for all bytes from {offset} on, {said}")
            size = total
        start = offset
    elif response.status_code != 200:
        raise SourceError(f"{url}: expected a file, the server answered {response.status_code}")
    length = _content_length(response)
    if length is not None and size is not None and length != size - start:
        raise SourceError(f"{url}: expected {size - start} bytes, the server announces {length}")
    return start, length if size is None else size - start
