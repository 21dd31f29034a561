"""Where everything of the proxy lies inside its container: the same in every bundle, so that the bundle can hold the
configuration itself.

``nginx -c /etc/llm-bundle/nginx/nginx.conf``; folders are mounted, not files, since a file that is replaced stays the
old one inside. Ports above 1024: nobody in there need be root. The engine's name must be known when Nginx starts.
"""

from __future__ import annotations

import re
from typing import Final

from bundler.serving.nginx.config import ProxyConfig
from bundler.serving.nginx.version import OLDEST, NginxVersion

CONFIG: Final = "/etc/llm-bundle/nginx"
"""nginx.conf and llm-bundle.conf, read-only."""

SECRETS: Final = "/run/llm-bundle/secrets"
"""tokens.conf and upstream.conf: the folder ``secrets/nginx`` of the site, read-only."""

TLS: Final = "/run/llm-bundle/tls"
"""server.crt, with the chain, and server.key, read-only."""

LOGS: Final = "/var/log/llm-bundle"
"""access.log, access.json.log, error.log: writable."""

RUN: Final = "/run/llm-bundle/nginx"
"""Pid and temporary files: memory, writable for the container's user."""

HTTPS: Final = 8443
HTTP: Final = 8080
MONITOR: Final = 9464
ENGINE: Final = "llm-engine:8000"

_TAG: Final = re.compile(r"(?:.*/)?[^/:@]*nginx[^/:@]*:(\d+\.\d+(?:\.\d+)?)(?![\d.])[^/@]*(?:@.*)?")


def engine_names(replicas: int) -> tuple[str, ...]:
    """The engines of this host as a bundle's own configuration calls them: llm-engine, or llm-engine-1 and so on."""
    if replicas == 1:
        return (ENGINE,)
    name, _, port = ENGINE.partition(":")
    return tuple(f"{name}-{number}:{port}" for number in range(1, replicas + 1))


def container_config(
    server_name: str, *, upstreams: tuple[str, ...] = (ENGINE,), monitors: tuple[str, ...] = ("127.0.0.1",)
) -> ProxyConfig:
    """The proxy in a container, in front of vLLM. Raises: UsageError. ``dataclasses.replace`` changes the rest."""
    return ProxyConfig(
        server_name,
        "vllm",
        upstreams,
        f"{TLS}/server.crt",
        f"{TLS}/server.key",
        f"{SECRETS}/tokens.conf",
        LOGS,
        upstream_key=f"{SECRETS}/upstream.conf",
        https_port=HTTPS,
        http_port=HTTP,
        monitors=monitors,
        run_folder=RUN,
    )


def image_version(name: str) -> NginxVersion:
    """Nginx's version by the tag of its image; the oldest of ours where the tag says none.

    What is written for the oldest works with newer ones too. Raises: MachineError for one that is older.
    """
    found = _TAG.fullmatch(name)
    return NginxVersion.parse(found[1]) if found else OLDEST
