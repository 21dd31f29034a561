"""What the administrator says on the command line, and what of it stays for the next time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bundler.errors import BundleError, UsageError
from bundler.serving.nginx.config import is_ip
from bundler.site.engines.docker import Docker
from bundler.site.engines.podman import Podman
from bundler.site.state import EngineKind, Settings


@dataclass(frozen=True, slots=True)
class Choices:
    """``settings`` holds the fields of Settings that were said. ``ignore`` names checks of doctor that may fail.

    ``token_file`` is where the first token is written to. Of an upgrade all can be left out.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    certificate: Path | None = None
    key: Path | None = None
    engine_key: Path | None = None
    token_file: Path | None = None
    allow_downgrade: bool = False
    ignore: tuple[str, ...] = ()


def merged(before: Settings | None, choices: Choices, *, containers: bool) -> Settings:
    """The settings to use: what was said, else what was chosen the last time, else what this machine has.

    ``containers``: the bundle has images, so that an engine runs them. Raises: UsageError.
    """
    base = before or Settings(engine=choices.settings.get("engine") or _engine_here())
    settings = replace(base, **choices.settings)
    for address in settings.addresses:
        if not is_ip(address):
            raise UsageError(f"--address: expected an IP address of this host, found {address[:60]!r}")
    for monitor in settings.monitors:
        if not is_ip(monitor, network=True):
            text = f"--monitor: expected an IP address or a network, found {monitor[:60]!r}"
            raise UsageError(text, hint="As in 192.0.2.7 or 192.0.2.0/24: no bits beyond the network's own.")
    if settings.http_port == settings.https_port:
        raise UsageError(f"--http-port: expected another port than that of https, {settings.https_port}")
    if settings.monitor_port and settings.monitor_port in (settings.https_port, settings.http_port):
        raise UsageError(f"--monitor-port: expected another port than those of clients, found {settings.monitor_port}")
    if containers and settings.keeper == "systemd" and settings.engine != "podman":
        hint = "Docker keeps its containers running by itself: leave --keeper out."
        raise UsageError("--keeper systemd: needs Podman (Quadlet)", hint=hint)
    return settings


def _engine_here() -> EngineKind:
    """The first that answers; where none does, doctor says so."""
    engines: tuple[tuple[EngineKind, type[Docker] | type[Podman]], ...] = (("docker", Docker), ("podman", Podman))
    for kind, engine in engines:
        try:
            engine().info()
        except BundleError:
            continue
        return kind
    return "docker"
