"""The networks of a release: a private one without a way out, with fixed addresses, and one for the proxy's ports.

Rules: Nginx needs no names, for the addresses on the private network are fixed: the proxy's is the second of the
subnet, those of the engines follow from the eleventh on. The engine itself keeps the subnet; only for a network that is
not there yet one is chosen, which neither a route of this host nor another network of the engine has.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path
from typing import Final

from bundler.disk import is_there, read_bounded
from bundler.errors import EngineError
from bundler.site.engines.interface import Engine

ROUTES: Final = Path("/proc/net/route")
BRIDGES: Final = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")

_MOST: Final = 16 << 20
_POOLS: Final = tuple(map(IPv4Network, ("10.219.0.0/16", "172.30.0.0/16", "192.168.0.0/16", "198.18.0.0/16")))
_WIDEST: Final = 8
"""Routes that are wider lead everywhere, as the default route and those of a VPN do."""
_PROXY, _ENGINES = 2, 10


@dataclass(frozen=True, slots=True)
class Private:
    """The private network as it is or will be: its name and its subnet."""

    name: str
    subnet: IPv4Network

    @property
    def proxy(self) -> str:
        """The proxy's address."""
        return str(self.subnet[_PROXY])

    def engine(self, replica: int) -> str:
        """The address of an engine; ``replica`` counts from 0."""
        return str(self.subnet[_ENGINES + replica])


class Networks:
    """The networks of the release with these 12 ``digits``."""

    def __init__(self, engine: Engine, digits: str) -> None:
        self._engine = engine
        self._digits = digits
        self.private = f"llm-bundle-{digits}"
        self.front = f"{self.private}-front"

    def look(self) -> Private:
        """The private network, made or not. Raises: EngineError, also when no subnet is free."""
        found = self._engine.networks()
        subnets = found.get(self.private, ())
        if subnets:
            own = next(_v4(subnets), None)
            if own is None or own.num_addresses < 1 << (32 - 24):
                raise EngineError(f"the network {self.private}: expected a /24 of IPv4, found {subnets[0][:60]}")
            return Private(self.private, own)
        taken = [*host_routes(), *_v4(subnet for subnets in found.values() for subnet in subnets)]
        for candidate in _candidates(self._digits):
            if not any(candidate.overlaps(other) for other in taken):
                return Private(self.private, candidate)
        hint = "Remove networks of the engine that nobody uses: docker network prune, or podman network prune."
        raise EngineError("no subnet is free for the private network of engine and proxy", hint=hint)

    def make(self, *, front: bool) -> Private:
        """Make what is not there yet; ``front`` with the network of the ports. Raises: EngineError."""
        self._create(self.private, internal=True)
        if front:
            self._create(self.front, internal=False)
        return self.look()

    def _create(self, name: str, *, internal: bool) -> None:
        """Make it; where a command that was killed has made it in between, look at that one."""
        subnet = str(self.look().subnet) if internal else None
        try:
            self._engine.create_network(name, self._digits, internal=internal, subnet=subnet)
        except EngineError:
            if name not in self._engine.networks():
                raise
            self._engine.create_network(name, self._digits, internal=internal)

    def remove(self) -> None:
        """Remove both; fine when they are not there. Raises: EngineError."""
        self._engine.remove_network(self.front)
        self._engine.remove_network(self.private)


def host_routes(path: Path | None = None) -> list[IPv4Network]:
    """Where this host's routes lead. Format: proc_net_route of Linux, hexadecimal in the machine's byte order."""
    path = path or ROUTES
    if not is_there(path):
        return []
    found = []
    for line in read_bounded(path, _MOST).decode("ascii", "replace").splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and (network := _route(words[1], words[7])) is not None:
            found.append(network)
    return [network for network in found if network.prefixlen >= _WIDEST]


def is_filtered(path: Path = BRIDGES) -> bool:
    """Whether the firewall sees what containers on one network say to each other, as Docker has it."""
    return is_there(path) and read_bounded(path, 16).strip() == b"1"


def _route(destination: str, mask: str) -> IPv4Network | None:
    try:
        address, netmask = (IPv4Address(int(word, 16).to_bytes(4, sys.byteorder)) for word in (destination, mask))
        return IPv4Network(f"{address}/{netmask}", strict=False)
    except (ValueError, OverflowError):
        return None


def _v4(texts: Iterable[str]) -> Iterator[IPv4Network]:
    for text in texts:
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            continue
        if isinstance(network, IPv4Network):
            yield network


def _candidates(digits: str) -> Iterator[IPv4Network]:
    """All subnets of the pools; where to begin follows from the digits, so that releases rarely want the same."""
    first = int(digits[:2], 16)
    for pool in _POOLS:
        subnets = list(pool.subnets(new_prefix=24))
        yield from (*subnets[first:], *subnets[:first])
