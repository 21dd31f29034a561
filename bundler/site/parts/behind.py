"""What a proxy stands in front of, and so what its configuration is to be.

Rules: engines of the release are called by their fixed addresses on the private network. LM Studio listens on the
loopback of the host alone; the proxy in front of it therefore lives in the host's own network namespace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final, Literal

from bundler.serving.container import HOST
from bundler.serving.nginx.config import ProxyConfig
from bundler.serving.nginx.container import MONITOR, container_config
from bundler.site.parts.network import Private
from bundler.site.state import Settings

LOOPBACK: Final = "127.0.0.1"
_PRIVILEGED: Final = 1024


@dataclass(frozen=True, slots=True)
class Behind:
    """Engines behind a proxy that is called ``server_name``.

    ``replicas`` listen on ``port`` each, or LM Studio does; ``others`` are engines on other hosts, ``host:port``.
    """

    server_name: str
    engine: Literal["vllm", "lmstudio"]
    port: int
    replicas: int = 1
    others: tuple[str, ...] = ()

    @property
    def on_host(self) -> bool:
        """Whether the proxy is in the host's network namespace."""
        return self.engine == "lmstudio"

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks of the proxy where it is on none of ours."""
        return (HOST,)

    @property
    def calls_names(self) -> bool:
        """Whether one of the others is called by a name, which has to be looked up."""
        return not all(_is_address(other) for other in self.others)

    def low_ports(self, settings: Settings) -> bool:
        """Whether the proxy itself listens on ports of the host that are root's."""
        return self.on_host and min(settings.ports) < _PRIVILEGED

    def upstreams(self, private: Private | None) -> tuple[str, ...]:
        """``host:port`` of all engines; ``private`` None where they listen on this host's loopback."""
        if private is None:
            return (*(f"{LOOPBACK}:{self.port + replica}" for replica in range(self.replicas)), *self.others)
        return (*(f"{private.engine(replica)}:{self.port}" for replica in range(self.replicas)), *self.others)

    def config(self, private: Private | None, settings: Settings) -> ProxyConfig:
        """The configuration for the proxy's container. Raises: UsageError."""
        upstreams = self.upstreams(private)
        config = container_config(self.server_name, upstreams=upstreams, monitors=settings.monitors)
        config = replace(config, engine=self.engine, public_port=settings.https_port)
        if settings.http_port is None:
            config = replace(config, http_port=None)
        if not self.on_host:
            # Only the host's loopback leads to it: the engine publishes it there, and the network is the proxy's alone.
            return replace(config, monitor_port=MONITOR, monitor_address="0.0.0.0") if settings.monitor_port else config
        return replace(
            config,
            upstream_key=None,
            addresses=settings.addresses,
            https_port=settings.https_port,
            http_port=settings.http_port,
            monitor_port=settings.monitor_port,
        )


def reached_at(addresses: Iterable[str]) -> str:
    """By which of the addresses that are listened on this host reaches the proxy."""
    first = ip_address(next(iter(addresses)))
    if not first.is_unspecified:
        return str(first)
    return LOOPBACK if first.version == 4 else "::1"


def _is_address(upstream: str) -> bool:
    try:
        ip_address(upstream.rpartition(":")[0].strip("[]"))
    except ValueError:
        return False
    return True
