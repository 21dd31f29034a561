"""What Fleet is to collect from the GPU host: options beside those of ``assets_options``, and which policy is meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from kibana_assets.connection.http import Wire
    from kibana_assets.connection.login import Login
    from kibana_assets.elasticsearch.cluster import Cluster
    from kibana_assets.fleet.host import Engine
    from kibana_assets.fleet.part import FleetPart
    from kibana_assets.kibana.client import Kibana
    from kibana_assets.package.tree import Tree

ROOT: Final = "/var/lib/llm-bundle"
OPTIONS: Final = (
    click.option(
        "--policy", default="local-llm", show_default=True, help="With Fleet: the id of the agent and package policy."
    ),
    click.option("--namespace", default="default", show_default=True, help="With Fleet: of the data streams."),
    click.option(
        "--engine",
        type=click.Choice(["vllm", "lmstudio"]),
        default="vllm",
        show_default=True,
        help="With Fleet: what serves on the GPU host.",
    ),
    click.option(
        "--host-root", default=ROOT, show_default=True, help="With Fleet: where llm-bundle is installed there."
    ),
    click.option("--monitor-port", type=click.IntRange(1, 65535), help="With Fleet: as given to `llm-bundle install`."),
    click.option("--time-zone", default="local", show_default=True, help="With Fleet: of the engine's log."),
    click.option("--proxy-time-zone", default="UTC", show_default=True, help="With Fleet: of the proxy's error log."),
)
INSTALLED_POLICY: Final = click.option(
    "--policy", default="", help="The id of the agent policy, where several were installed."
)


@dataclass(frozen=True, slots=True)
class HostWish:
    """What these options say; ``policy`` empty for the one that there is, or the usual one."""

    policy: str = ""
    namespace: str = "default"
    engine: Engine = "vllm"
    host_root: str = ROOT
    monitor_port: int | None = None
    time_zone: str = "local"
    proxy_time_zone: str = "UTC"


def fleet_part(
    wire: Wire, login: Login, kibana: Kibana, cluster: Cluster, tree: Tree, wish: HostWish, spaces: tuple[str, ...]
) -> FleetPart:
    """Fleet as a part of the installation; nothing is sent."""
    from kibana_assets.fleet.api import Api
    from kibana_assets.fleet.client import Fleet
    from kibana_assets.fleet.host import Host
    from kibana_assets.fleet.part import FleetPart
    from kibana_assets.fleet.wish import POLICY, Wish
    from kibana_assets.install.desired import package_version
    from kibana_assets.package.build import PACKAGE, build

    host = Host(wish.engine, PurePosixPath(wish.host_root), wish.monitor_port, wish.time_zone, wish.proxy_time_zone)
    data = build(tree).data
    whole = Wish(PACKAGE, package_version(tree), data, spaces, host, wish.policy or POLICY, wish.namespace)
    return FleetPart(Fleet(Api(wire, login)), kibana, cluster, whole)
