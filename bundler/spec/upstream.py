"""``host:port`` of an engine on another host.

Rules: as Nginx takes it in an ``upstream``; never an address of this host, which inside a container is another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

MOST_REPLICAS: Final = 64
MOST_UPSTREAMS: Final = 64
EXPECTED_UPSTREAM: Final = "engines on other hosts as host:port, as in 192.0.2.7:8000"

_FORM: Final = re.compile(r"((?!-)[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})")
_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_NUMERIC: Final = re.compile(r"(.*\.)?[0-9]+")


def upstreams_fault(texts: Sequence[str]) -> tuple[int, str] | None:
    """The first of ``texts`` that cannot stand there, by its position, and why; None when all are good."""
    for at, text in enumerate(texts):
        fault = upstream_fault(text)
        if not fault and text.lower() in {other.lower() for other in texts[:at]}:
            fault = "stands twice"
        if fault:
            return at, fault
    return None


def upstream_fault(text: str) -> str | None:
    """Why ``text`` is no engine on another host, as in ``has no port``; None when it is one."""
    found = _FORM.fullmatch(text)
    if not found:
        return "is not host:port"
    if not 0 < int(found[2]) < 65536:
        return "has a port outside 1 to 65535"
    host = found[1]
    if host.startswith("["):
        return _address_fault(host[1:-1], IPv6Address)
    if _NUMERIC.fullmatch(host):
        return _address_fault(host, IPv4Address)
    if not _NAME.fullmatch(host):
        return "has a host that is no name"
    name = host.lower()
    return "is this host itself" if name == "localhost" or name.endswith(".localhost") else None


def _address_fault(text: str, kind: type[IPv4Address] | type[IPv6Address]) -> str | None:
    try:
        found = kind(text)
    except ValueError:
        return "has a host that is no address"
    address = getattr(found, "ipv4_mapped", None) or found
    if address.is_loopback or address.is_unspecified:
        return "is this host itself"
    return "is no host's address" if address.is_multicast else None
