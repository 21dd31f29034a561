"""The proxies that the environment names, checked before a client meets one that it cannot use.

Rules: HTTP_PROXY, HTTPS_PROXY and ALL_PROXY in either case, as ``urllib.request`` reads them; without a scheme http is
meant, as the clients have it. The clients raise whatever comes to them for what they cannot parse, and for SOCKS
without the two libraries that speak it; hence this check, whichever of the three is used in the end.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from bundler.errors import UsageError
from bundler.sources import address

_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")
_HINT = "Write it as http://HOST:PORT, or unset it."


def check_proxies() -> None:
    """Raises: UsageError for a proxy that cannot be used; a password in it is not shown."""
    for kind, written in getproxies_environment().items():
        if kind in ("http", "https", "all"):
            _check(f"{kind.upper()}_PROXY", written.strip())


def _check(name: str, written: str) -> None:
    scheme = _scheme(written if "://" in written else f"http://{written}")
    if scheme in _SOCKS and not (find_spec("socks") and find_spec("socksio")):
        raise UsageError(
            f"{name}: a SOCKS proxy, and the libraries for it are not installed",
            hint=f"Set {name} to an http:// proxy or unset it; or: pip install pysocks socksio",
        )
    if scheme not in ("http", "https", *_SOCKS):
        raise UsageError(f"{name}: expected the address of a proxy, found {address.safe(written)!r}", hint=_HINT)


def _scheme(url: str) -> str | None:
    """The scheme of an address that can be used, else None."""
    try:
        parts = urlsplit(url)
        good = parts.hostname and parts.port != 0 and not re.search(r"[\x00-\x20\x7f]", url)
    except ValueError:
        return None
    return parts.scheme if good else None
