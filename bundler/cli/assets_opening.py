"""From what a command's options say to the installation: Kibana or none, Fleet or none, what is wanted in which spaces.

Rules: nothing is sent before it is needed to know these; what a command has no option for is as by default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bundler.cli.fleet_options import HostWish, fleet_part
from bundler.cli.rules_options import RulesWish, rules_of
from kibana_assets.errors import UsageError

if TYPE_CHECKING:
    from kibana_assets.connection.http import Wire
    from kibana_assets.connection.login import Login
    from kibana_assets.connection.target import Target
    from kibana_assets.elasticsearch.cluster import Cluster
    from kibana_assets.fleet.part import FleetPart
    from kibana_assets.install.asset import Asset
    from kibana_assets.install.installation import Installation
    from kibana_assets.install.lifecycle import Way
    from kibana_assets.install.objects import KibanaPart
    from kibana_assets.kibana.client import Kibana
    from kibana_assets.package.tree import Tree


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options say, but for those of Fleet."""

    kibana_url: str | None = None
    kibana_ca: Path | None = None
    no_kibana: bool = False
    no_fleet: bool = False
    spaces: tuple[str, ...] = ()
    all_spaces: bool = False
    way: Way = "stack"
    retention: str = ""
    enable_rules: bool = False
    no_rules: bool = False
    custom_pipelines: bool = False
    lmstudio_dataset: str | None = None


@contextmanager
def opened(target: Target, wish: Wish, host: HostWish, *, installed: bool) -> Iterator[Installation]:
    """The installation, whose connections end with the context. Raises: KibanaAssetsError.

    With ``installed`` the spaces are those that something was installed into, unless some are named.
    """
    from kibana_assets.elasticsearch.cluster import Cluster
    from kibana_assets.install.chain import chained
    from kibana_assets.install.desired import package_version
    from kibana_assets.install.installation import Installation
    from kibana_assets.package.tree import load

    tree = load()
    beside = chained(tree, wish.lmstudio_dataset) if wish.custom_pipelines or wish.lmstudio_dataset else ()
    reach = _reach(target, wish)
    cluster = Cluster(target)
    try:
        named = _spaces(reach.kibana, wish) if reach else ()
        part = _part(reach, cluster, named, installed=installed) if reach else None
        fleet = None
        if reach and not wish.no_fleet:
            fleet = _fleet(reach, cluster, tree, host, named, installed=installed)
        said = RulesWish(wish.enable_rules, wish.no_rules, installed)
        wanted = (*_desired(tree, wish, part, fleet), *rules_of(tree, said, None if fleet else part), *beside)
        yield Installation(cluster, tree, wanted, package_version(tree), None if fleet else part, fleet)
    finally:
        cluster.close()
        if reach:
            reach.wire.close()


@dataclass(frozen=True, slots=True)
class _Reach:
    """How a Kibana is reached."""

    wire: Wire
    login: Login

    @property
    def kibana(self) -> Kibana:
        from kibana_assets.kibana.client import Kibana

        return Kibana(self.wire, self.login)


def _reach(target: Target, wish: Wish) -> _Reach | None:
    from kibana_assets.connection.address import server
    from kibana_assets.connection.http import Wire
    from kibana_assets.connection.login import for_kibana
    from kibana_assets.connection.trust import Trust

    if wish.no_kibana and wish.kibana_url:
        raise UsageError("--kibana and --no-kibana exclude each other", hint="Give one of them.")
    address = server(wish.kibana_url, "--kibana") if wish.kibana_url else target.kibana
    if wish.no_kibana or address is None:
        if wish.spaces or wish.all_spaces:
            raise UsageError("--space and --all-spaces: expected --kibana beside them", hint="Name Kibana's address.")
        return None
    ca = wish.kibana_ca or target.trust.ca
    trust = Trust(ca, "", target.trust.certificate, target.trust.key)
    wire = Wire(address, trust, proxy=target.proxy, timeout=target.timeout)
    return _Reach(wire, for_kibana(os.environ, target.login))


def _fleet(
    reach: _Reach, cluster: Cluster, tree: Tree, host: HostWish, named: tuple[str, ...], *, installed: bool
) -> FleetPart | None:
    from kibana_assets.fleet.choose import settled, why_not
    from kibana_assets.kibana.request import DEFAULT

    part = fleet_part(reach.wire, reach.login, reach.kibana, cluster, tree, host, named or (DEFAULT,))
    reason = why_not(part.fleet, cluster, installed=installed)
    if reason:
        print(f"without Fleet: {reason}", file=sys.stderr)
        return None
    part.wish = settled(cluster, part.wish, installed=installed, spaces=named, policy=host.policy if installed else "")
    return part


def _desired(tree: Tree, wish: Wish, part: KibanaPart | None, fleet: FleetPart | None) -> tuple[Asset, ...]:
    from kibana_assets.install.desired import desired_objects
    from kibana_assets.install.lifecycle import Lifecycle

    lifecycle = Lifecycle(wish.way, wish.retention)
    if fleet:
        from kibana_assets.fleet.wish import lifecycle_assets

        return lifecycle_assets(lifecycle)
    return (*desired_objects(tree, lifecycle), *(_objects(tree, part.spaces) if part else ()))


def _part(reach: _Reach, cluster: Cluster, named: tuple[str, ...], *, installed: bool) -> KibanaPart:
    from kibana_assets.install.objects import KibanaPart, recorded_spaces
    from kibana_assets.kibana.request import DEFAULT
    from kibana_assets.kibana.rules import Rules

    if not named and installed:
        named = recorded_spaces(cluster)
    return KibanaPart(reach.kibana, Rules(reach.kibana), cluster, named or (DEFAULT,))


def _spaces(kibana: Kibana, wish: Wish) -> tuple[str, ...]:
    """The spaces that were named, in their order; none if none was."""
    from kibana_assets.kibana.request import check_space

    if wish.all_spaces and wish.spaces:
        raise UsageError("--space and --all-spaces exclude each other", hint="Give one of them.")
    given = tuple(dict.fromkeys(check_space(space) for space in wish.spaces))
    if wish.all_spaces or not wish.no_fleet:
        kibana.version()  # first: that it is no Kibana explains whatever else fails
    return kibana.spaces() if wish.all_spaces else given


def _objects(tree: Tree, spaces: tuple[str, ...]) -> tuple[Any, ...]:
    from kibana_assets.dashboards.objects import dashboards, data_views, objects
    from kibana_assets.install.objects import wanted_objects

    return wanted_objects([*data_views(), *objects(dashboards(tree))], spaces)
