"""What the proxy is to be, as one frozen value. Rules: nothing in it can leave the place that it is rendered into;
it holds paths of secrets, never a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, ip_address, ip_network
from typing import Literal

from bundler.errors import UsageError

NAME = re.compile(r"(?=.{1,253}\Z)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_UPSTREAM = re.compile(r"((?!-)[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})")
# Nginx cannot escape $, and include takes *, ? and [ for patterns.
_PATH = re.compile(r'/[^\x00-\x1f\x7f"\\$*?\[\]{};\']*')
_COMMAND = re.compile(r"[ -~]*")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one token may do: requests a second with a burst above, and requests at the same time."""

    requests_per_second: int = 50
    burst: int = 100
    connections: int = 128


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """Everything that the configuration depends on, beside Nginx's version.

    ``upstreams`` are ``host:port``. ``tokens`` and ``upstream_key`` are files that Nginx includes (``tokens.py`` has
    their texts); without ``upstream_key`` the engine gets no Authorization header. ``addresses`` are those listened
    on; ``http_port`` None listens on no plain port; ``public_port`` is where clients reach ``https_port``.
    ``default_server`` is False where another site of the same Nginx answers for unknown names. ``monitors`` are the
    addresses or networks that may see /health, /metrics and /nginx_status; ``monitor_port`` of ``monitor_address``
    shows these, and nothing else, to everybody who reaches it, without TLS. ``max_body`` is in MiB, ``silence``
    (between two bytes of the engine) in seconds. ``form`` container adds the main nginx.conf, with pid and temporary
    files below ``run_folder``. ``reopen`` is the shell command that makes this Nginx open its logs anew;
    ``host_logs`` is the log folder of a container as the host sees it.

    Raises: UsageError, on creation, for a value that cannot stand in a configuration.
    """

    server_name: str
    engine: Literal["vllm", "lmstudio"]
    upstreams: tuple[str, ...]
    certificate: str
    key: str
    tokens: str
    log_folder: str
    upstream_key: str | None = None
    form: Literal["container", "host"] = "container"
    addresses: tuple[str, ...] = ("0.0.0.0",)
    https_port: int = 443
    http_port: int | None = 80
    public_port: int = 443
    default_server: bool = True
    monitors: tuple[str, ...] = ("127.0.0.1",)
    monitor_port: int | None = None
    monitor_address: str = "127.0.0.1"
    status_page: bool = True
    limits: Limits = Limits()
    max_body: int = 32
    silence: int = 3600
    run_folder: str = "/run/llm-bundle/nginx"
    reopen: str = ""
    host_logs: str | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.server_name):
            raise _wrong("server_name", "a host name or an IPv4 address", self.server_name)
        if not self.upstreams:
            raise _wrong("upstreams", "at least one host:port", "none")
        for upstream in self.upstreams:
            found = _UPSTREAM.fullmatch(upstream)
            if not found or not 0 < int(found[2]) < 65536:
                raise _wrong("upstreams", "host:port, as in 127.0.0.1:8000", upstream)
        for name in ("certificate", "key", "tokens", "log_folder", "upstream_key", "run_folder", "host_logs"):
            path = getattr(self, name)
            if path is not None and not _PATH.fullmatch(path):
                raise _wrong(name, "an absolute path without quotes, $, \\, *, ?, ;, brackets and braces", path)
        for address in (*(self.addresses or ("none",)), self.monitor_address):
            _require("addresses", "an IP address to listen on", address, network=False)
        for address in self.monitors:
            _require("monitors", "an IP address or a network, as in 192.0.2.0/24", address, network=True)
        self._check_numbers()
        if not _COMMAND.fullmatch(self.reopen):
            raise _wrong("reopen", "a command of one line", self.reopen)

    def _check_numbers(self) -> None:
        more = [port for port in (self.http_port, self.monitor_port) if port is not None]
        for port in (self.https_port, self.public_port, *more):
            if not 0 < port < 65536:
                raise _wrong("port", "a number from 1 to 65535", str(port))
        if self.monitor_port and self.monitor_port in (self.https_port, self.http_port):
            raise _wrong("monitor_port", "another port than those of clients", str(self.monitor_port))
        if self.http_port == self.https_port:
            raise _wrong("http_port", f"another port than that of https, {self.https_port}", str(self.http_port))
        limits = (self.limits.requests_per_second, self.limits.burst, self.limits.connections)
        if any(not 1 <= number <= 65535 for number in (*limits, self.max_body, self.silence)):
            raise _wrong("limits, max_body and silence", "numbers from 1 to 65535", str(limits))

    @property
    def is_address(self) -> bool:
        """Whether clients call an IP address: these send no server name in the handshake."""
        try:
            IPv4Address(self.server_name)
        except AddressValueError:
            return False
        return True


def _require(name: str, expected: str, text: str, *, network: bool) -> None:
    if not is_ip(text, network=network):
        raise _wrong(name, f"{expected}, without a zone" if "%" in text else expected, text)


def is_ip(text: str, *, network: bool = False) -> bool:
    """Whether it is an address, or with ``network`` an address or a network; one with a zone is none for Nginx."""
    try:
        ip_network(text) if network else ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # Python takes any text for the zone of an IPv6 address


def _wrong(name: str, expected: str, found: str) -> UsageError:
    return UsageError(f"proxy: {name}: expected {expected}, found {found[:80]!r}")
