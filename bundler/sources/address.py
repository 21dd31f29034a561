"""Addresses: what of them may be printed, where they lead, and whether plain http is allowed there.

Rules: a user name, a password, a query (signed addresses carry their secret in it) and a fragment are
never printed. Two addresses have one origin when scheme, host and port are the same (RFC 6454).
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from bundler.errors import SourceError

_PORTS = {"http": 80, "https": 443}


def safe(url: str) -> str:
    """The address for messages: without what may be secret, or move a terminal's cursor."""
    try:
        parts = urlsplit(url)
        shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))[:500]
        return "".join(one if one.isprintable() else "?" for one in shown)
    except ValueError:
        return "an address that cannot be read"


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises: SourceError when it is no http or https address."""
    parts = _split(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def host(url: str) -> str:
    """``host``, or ``host:port`` where the port is not the scheme's own, as registries are written."""
    scheme, name, port = origin(url)
    written = f"[{name}]" if ":" in name else name
    return written if port == _PORTS[scheme] else f"{written}:{port}"


def target(url: str, location: str) -> str:
    """Where a redirect from ``url`` leads. Raises: SourceError when the server named no usable address."""
    try:
        # http.client reads headers as Latin-1; servers that send more than ASCII mean UTF-8.
        joined = urljoin(url, location.encode("latin-1").decode("utf-8"))
    except ValueError as error:
        raise SourceError(f"{safe(url)}: redirected to an address that cannot be read") from error
    return without_user(joined)


def without_user(url: str) -> str:
    """The address without user name and password: credentials travel as headers only."""
    parts = _split(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def check_plain(url: str, allowed: Collection[str]) -> None:
    """Raises: SourceError when ``url`` is plain http and its host is not among ``allowed``; ``*`` is any host."""
    scheme, name, port = origin(url)
    if scheme == "http" and not {"*", host(url), f"{name}:{port}"} & set(allowed):
        raise SourceError(
            f"{safe(url)}: plain http is not allowed for {host(url)}",
            hint="Use https. A registry that has none is allowed in bundle.yml: "
            f"registries: {{{host(url)!r}: {{plain_http: true}}}}",
        )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise SourceError(f"{safe(url)}: expected an http:// or https:// address with a host")
    return parts
