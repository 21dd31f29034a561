"""``config/agents/``: what Filebeat, Metricbeat or a stand-alone Elastic Agent is to collect on the GPU host.

Rules: inputs and paths are those of ``llm-bundle assets host-config`` and of the policy that Fleet would get, for an
installation in the usual folder; where Elasticsearch is, and the key, are variables. Nginx in a container writes UTC,
the host's own writes local time. vLLM's metrics come by the proxy; without one nobody knows their address yet.
"""

from __future__ import annotations

from typing import Any, Final

from bundler.lock.model import Lock
from kibana_assets.fleet.host import Host as Collected
from kibana_assets.install.host_config import Host, host_configs
from kibana_assets.package.tree import load

FOLDER: Final = "config/agents"
MONITOR_PORT: Final = 9464
"""What the package's documentation proposes for ``llm-bundle install --monitor-port``."""


def agent_files(lock: Lock) -> dict[str, str]:
    """Path → text; none unless bundle.yml asks for them.

    Raises: KibanaAssetsError for an llm-bundle that has lost its package.
    """
    if not lock.request["monitoring"]["filebeat"]:
        return {}
    settings = collected(lock.request).settings()
    made = host_configs(load(), Host((), only=tuple(settings), settings=settings))
    return {f"{FOLDER}/{name}": text for name, text in made.items()}


def collected(request: dict[str, Any]) -> Collected:
    """What there will be to collect of a bundle with that request."""
    proxy = request["proxy"]
    return Collected(
        engine=request["serve"]["engine"],
        monitor_port=MONITOR_PORT if proxy else None,
        proxy_time_zone="local" if proxy and proxy["run"] == "host" else "UTC",
        proxy=bool(proxy),
    )
