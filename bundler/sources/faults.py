"""What a failed HTTP exchange means for the user: which of our errors it becomes.

Rules: 408, 429, 5xx, cut and stalled connections may pass (TransientError); every other status is final
(StatusError). Texts of foreign exceptions never go into a message, since they hold whole addresses with
their signatures; for the same reason the cause that is chained is the innermost one.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import requests
import urllib3

from bundler.errors import SourceError, TransientError

LONGEST_RETRY_AFTER = 300.0
_TRANSIENT = {408, 425, 429}
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
_RATE_LIMIT = re.compile(r";\s*r\s*=\s*0\s*;\s*t\s*=\s*([0-9]{1,9})")
_FINAL = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    urllib3.exceptions.LocationValueError,
    UnicodeError,
)


class StatusError(SourceError):
    """A final HTTP status; ``url`` is safe to print, ``body`` holds at most its first 64 KiB."""

    def __init__(self, url: str, status: int, headers: Mapping[str, str], body: bytes, *, hint: str = "") -> None:
        super().__init__(f"{url}: the server answered {status} {phrase(status)}".rstrip(), hint=hint)
        self.url = url
        self.status = status
        self.headers = headers
        self.body = body


class PlainHttpError(SourceError):
    """https was spoken to a server that speaks plain http."""


def phrase(status: int) -> str:
    """The words that belong to a status, or none: those that the server sent are not trusted."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def of_status(url: str, status: int, headers: Mapping[str, str], body: bytes) -> SourceError:
    """The error for a status that is neither a success nor a redirect; ``url`` is safe to print."""
    if status in _TRANSIENT or status >= 500:
        said = f"{url}: the server answered {status} {phrase(status)}".rstrip()
        return TransientError(said, retry_after=retry_after(headers))
    return StatusError(url, status, headers, body)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, at most 300 (RFC 9110, 10.2.3: seconds or a date).

    The Hugging Face hub says it in RateLimit alone (draft-ietf-httpapi-ratelimit-headers: ``"api";r=0;t=55``).
    """
    written = headers.get("Retry-After", "").strip()
    if not written:
        left = _RATE_LIMIT.search(headers.get("RateLimit", "")[:1000])
        return min(float(left[1]), LONGEST_RETRY_AFTER) if left else None
    if re.fullmatch("[0-9]+", written):
        return float(min(int(written[:9]), LONGEST_RETRY_AFTER))
    try:
        until = parsedate_to_datetime(written)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=timezone.utc)
    return min(max((until - datetime.now(timezone.utc)).total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def of_exception(url: str, error: BaseException) -> tuple[SourceError, BaseException]:
    """Our error for one of requests, urllib3 or the system, and the innermost cause to chain it from."""
    cause = _innermost(error)
    if isinstance(cause, ssl.SSLError):
        return _of_tls(url, cause), cause
    if isinstance(error, _FINAL):
        return SourceError(f"{url}: this address cannot be used", hint="Check how it is written."), cause
    if isinstance(error, requests.exceptions.ProxyError):
        hint = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
        return TransientError(f"{url}: the proxy failed: {_reason(cause)}", hint=hint), cause
    network = (requests.RequestException, ConnectionError, TimeoutError)
    if isinstance(error, OSError) and not isinstance(error, network):
        hint = "Check REQUESTS_CA_BUNDLE, SSL_CERT_FILE, and the registry's `ca` in bundle.yml."
        reason = cause.strerror if isinstance(cause, OSError) else None  # requests itself looks whether it is there
        return SourceError(f"{url}: the file of certificates: {reason or 'there is no such file'}", hint=hint), cause
    return TransientError(f"{url}: {_reason(cause)}"), cause


def _of_tls(url: str, cause: ssl.SSLError) -> SourceError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return SourceError(
            f"{url}: the server's certificate is not trusted: {cause.verify_message}",
            hint="Name the CA's PEM file: `ca` of the registry in bundle.yml, or REQUESTS_CA_BUNDLE.",
        )
    if cause.reason in _NOT_TLS:
        return PlainHttpError(f"{url}: https was tried, but the server does not speak TLS")
    if cause.reason in ("NO_CERTIFICATE_OR_CRL_FOUND", "NO_START_LINE"):
        return SourceError(f"{url}: the CA file holds no certificate", hint="Give a file in PEM form.")
    return TransientError(f"{url}: TLS failed: {cause.reason or 'the connection was cut'}")


def _innermost(error: BaseException) -> BaseException:
    """urllib3 and requests keep the cause in ``reason`` or ``args``, Python in ``__cause__``."""
    for _ in range(12):
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        deeper = next((one for one in inner if isinstance(one, BaseException) and one is not error), None)
        if deeper is None:
            return error
        error = deeper
    return error


def _reason(cause: BaseException) -> str:
    if isinstance(cause, socket.gaierror):
        return "the host's name cannot be resolved"
    if isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError):
        return "nothing came within the time allowed"
    if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
        return cause.strerror[:200]
    return f"the connection failed ({type(cause).__name__})"
