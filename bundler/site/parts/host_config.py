"""The proxy's configuration for the host's own Nginx: secrets, certificate and logs where the installation has them."""

from __future__ import annotations

import shlex
from pathlib import Path

from bundler.serving.nginx.config import ProxyConfig
from bundler.site.nginx.directives import default_servers
from bundler.site.nginx.program import HostNginx, Main
from bundler.site.parts.behind import Behind
from bundler.site.place import Place
from bundler.site.state import Settings
from bundler.site.tls.pair import CERTIFICATE, KEY

STATUS_MODULE = "http_stub_status_module"


def host_config(place: Place, settings: Settings, behind: Behind, upstreams: tuple[str, ...]) -> ProxyConfig:
    """What depends on the installation alone. Raises: UsageError for what cannot stand in a configuration."""
    root = Place(place.root.absolute())
    vllm = behind.engine == "vllm"
    return ProxyConfig(
        behind.server_name,
        behind.engine,
        upstreams,
        str(root.tls / CERTIFICATE),
        str(root.tls / KEY),
        str(root.proxy_secrets / "tokens.conf"),
        str(root.logs),
        upstream_key=str(root.proxy_secrets / "upstream.conf") if vllm else None,
        form="host",
        addresses=settings.addresses,
        https_port=settings.https_port,
        http_port=settings.http_port,
        public_port=settings.https_port,
        monitors=settings.monitors,
        monitor_port=settings.monitor_port,
    )


def reopen_command(nginx: HostNginx, main: Main) -> str:
    """What makes this Nginx open its logs anew, for a shell; nothing to do where it does not run."""
    return f"test ! -s {shlex.quote(str(main.pid))} || {shlex.quote(nginx.program)} -s reopen"


def others_default(nginx: HostNginx, site: Path, config: ProxyConfig) -> list[str]:
    """Where others of this Nginx answer for unknown names on a port of ours, for people: ``80 (/etc/nginx/…)``."""
    found = default_servers(nginx.dump(), site)
    ports = [port for port in (config.http_port, config.https_port) if port]
    wanted = [(address, port) for address in config.addresses for port in ports]
    return [f"{port} ({found[address, port]})" for address, port in wanted if (address, port) in found]
