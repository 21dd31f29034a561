"""What of the assets is wanted, and where: options that plan, install, status and uninstall share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bundler.cli.elastic_options import elastic_options
from bundler.cli.fleet_options import OPTIONS as FLEET_OPTIONS
from bundler.cli.fleet_options import HostWish, fleet_part
from bundler.cli.rules_options import OPTIONS as RULES_OPTIONS
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

OPTIONS: Final = (
    click.option("--kibana", "kibana_url", metavar="URL", help="Kibana's address, with its base path: dashboards too."),
    click.option(
        "--kibana-ca", type=click.Path(path_type=Path), help="PEM file to trust for Kibana; else that of --ca."
    ),
    click.option("--no-kibana", is_flag=True, help="Elasticsearch alone, also with a cloud id that names a Kibana."),
    click.option("--no-fleet", is_flag=True, help="Without Fleet, also where Kibana has it."),
    click.option("--space", "spaces", metavar="ID", multiple=True, help="A space of Kibana. May be given again."),
    click.option("--all-spaces", is_flag=True, help="Every space of Kibana that there is."),
    click.option(
        "--lifecycle",
        "way",
        type=click.Choice(["stack", "stream", "ilm"]),
        default="stack",
        show_default=True,
        help="Who rolls over and deletes: the stack's own settings, the data stream, or a policy of ILM.",
    ),
    click.option("--retention", metavar="DAYS", default="", help="Delete data after that time, as 90d; else never."),
    *RULES_OPTIONS,
    click.option("--custom-pipelines", is_flag=True, help="Also @custom pipelines for Elastic's Nginx integration."),
    click.option("--lmstudio-dataset", metavar="NAME", help="And for a log integration that reads LM Studio's log."),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What these options say."""

    kibana_url: str | None
    kibana_ca: Path | None
    no_kibana: bool
    no_fleet: bool
    spaces: tuple[str, ...]
    all_spaces: bool
    way: Way
    retention: str
    enable_rules: bool
    no_rules: bool
    custom_pipelines: bool
    lmstudio_dataset: str | None


def assets_options(*, installed: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """All of these options, as ``opened``: a context with the Installation.

    With ``installed`` the spaces are those that something was installed into, unless some are named.
    """

    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def called(*args: Any, target: Target, **options: Any) -> Any:
            wish = Wish(**{name: options.pop(name) for name in Wish.__slots__})
            host = HostWish(**{name: options.pop(name) for name in HostWish.__slots__})
            with _opened(target, wish, host, installed=installed) as opened:
                return function(*args, opened=opened, **options)

        wrapped: Callable[..., Any] = called
        for option in reversed((*OPTIONS, *FLEET_OPTIONS)):
            wrapped = option(wrapped)
        return elastic_options()(wrapped)

    return apply


@contextmanager
def _opened(target: Target, wish: Wish, host: HostWish, *, installed: bool) -> Iterator[Installation]:
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
        part = _part(reach, cluster, wish, installed=installed) if reach else None
        fleet = _fleet(reach, cluster, tree, wish, host, installed=installed) if reach and not wish.no_fleet else None
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
    reach: _Reach, cluster: Cluster, tree: Tree, wish: Wish, host: HostWish, *, installed: bool
) -> FleetPart | None:
    from kibana_assets.fleet.choose import settled, why_not
    from kibana_assets.kibana.request import DEFAULT

    named = _spaces(reach.kibana, wish)
    part = fleet_part(reach.wire, reach.login, reach.kibana, cluster, tree, host, named or (DEFAULT,))
    reason = why_not(part.fleet, cluster, installed=installed)
    if reason:
        print(f"without Fleet: {reason}", file=sys.stderr)
        return None
    part.wish = settled(cluster, part.wish, installed=installed and not named)
    return part


def _desired(tree: Tree, wish: Wish, part: KibanaPart | None, fleet: FleetPart | None) -> tuple[Asset, ...]:
    from kibana_assets.install.desired import desired_objects
    from kibana_assets.install.lifecycle import Lifecycle

    lifecycle = Lifecycle(wish.way, wish.retention)
    if fleet:
        from kibana_assets.fleet.wish import lifecycle_assets

        return lifecycle_assets(lifecycle)
    return (*desired_objects(tree, lifecycle), *(_objects(tree, part.spaces) if part else ()))


def _part(reach: _Reach, cluster: Cluster, wish: Wish, *, installed: bool) -> KibanaPart:
    from kibana_assets.install.objects import KibanaPart, recorded_spaces
    from kibana_assets.kibana.request import DEFAULT
    from kibana_assets.kibana.rules import Rules

    named = _spaces(reach.kibana, wish)
    if not named and installed:
        named = recorded_spaces(cluster)
    return KibanaPart(reach.kibana, Rules(reach.kibana), cluster, named or (DEFAULT,))


def _spaces(kibana: Kibana, wish: Wish) -> tuple[str, ...]:
    """The spaces that were named, in their order; none if none was."""
    from kibana_assets.kibana.request import check_space

    if wish.all_spaces and wish.spaces:
        raise UsageError("--space and --all-spaces exclude each other", hint="Give one of them.")
    return kibana.spaces() if wish.all_spaces else tuple(dict.fromkeys(check_space(space) for space in wish.spaces))


def _objects(tree: Tree, spaces: tuple[str, ...]) -> tuple[Any, ...]:
    from kibana_assets.dashboards.objects import dashboards, data_views, objects
    from kibana_assets.install.objects import wanted_objects

    return wanted_objects([*data_views(), *objects(dashboards(tree))], spaces)
