"""Which command about an installation has which options: each those alone that change what it does.

Rules: status and uninstall know of an installation what it is; so they ask for nothing that only says what is wanted.
``assets_opening`` makes the installation of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from bundler.cli.assets_opening import Wish, opened
from bundler.cli.elastic_options import elastic_options
from bundler.cli.fleet_options import INSTALLED_POLICY, HostWish
from bundler.cli.fleet_options import OPTIONS as FLEET
from bundler.cli.rules_options import OPTIONS as RULES

if TYPE_CHECKING:
    from kibana_assets.connection.target import Target

Kind = Literal["install", "status", "uninstall", "enrol"]
KIBANA: Final = (
    click.option("--kibana", "kibana_url", metavar="URL", help="Kibana's address, with its base path: dashboards too."),
    click.option(
        "--kibana-ca", type=click.Path(path_type=Path), help="PEM file to trust for Kibana; else that of --ca."
    ),
)
NO_KIBANA: Final = click.option(
    "--no-kibana", is_flag=True, help="Elasticsearch alone, also with a cloud id that names a Kibana."
)
NO_FLEET: Final = click.option("--no-fleet", is_flag=True, help="Without Fleet, also where Kibana has it.")
SPACES: Final = (
    click.option("--space", "spaces", metavar="ID", multiple=True, help="A space of Kibana. May be given again."),
    click.option("--all-spaces", is_flag=True, help="Every space of Kibana that there is."),
)
LIFECYCLE: Final = (
    click.option(
        "--lifecycle",
        "way",
        type=click.Choice(["stack", "stream", "ilm"]),
        default="stack",
        show_default=True,
        help="Who rolls over and deletes: the stack's own settings, the data stream, or a policy of ILM.",
    ),
    click.option("--retention", metavar="DAYS", default="", help="Delete data after that time, as 90d; else never."),
)
BESIDE: Final = (
    click.option("--custom-pipelines", is_flag=True, help="Also @custom pipelines for Elastic's Nginx integration."),
    click.option("--lmstudio-dataset", metavar="NAME", help="And for a log integration that reads LM Studio's log."),
)
OPTIONS: Final = {
    "install": (*KIBANA, NO_KIBANA, NO_FLEET, *SPACES, *LIFECYCLE, *RULES, *BESIDE, *FLEET),
    "status": (*KIBANA, NO_KIBANA, NO_FLEET, *SPACES, *BESIDE),
    "uninstall": (*KIBANA, NO_KIBANA, NO_FLEET, *SPACES),
    "enrol": (*KIBANA, INSTALLED_POLICY),
}


def assets_options(kind: Kind) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of this kind of command, as ``opened``: a context with the Installation."""

    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def called(*args: Any, target: Target, **options: Any) -> Any:
            wish = Wish(**{name: options.pop(name) for name in Wish.__slots__ if name in options})
            host = HostWish(**{name: options.pop(name) for name in HostWish.__slots__ if name in options})
            with opened(target, wish, host, installed=kind != "install") as installation:
                return function(*args, opened=installation, **options)

        wrapped: Callable[..., Any] = called
        for option in reversed(OPTIONS[kind]):
            wrapped = option(wrapped)
        return elastic_options()(wrapped)

    return apply
