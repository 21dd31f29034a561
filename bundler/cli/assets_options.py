"""What of the assets is wanted, and where: options that plan, install, status and uninstall share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from bundler.cli.elastic_options import elastic_options

if TYPE_CHECKING:
    from kibana_assets.connection.target import Target
    from kibana_assets.install.installation import Installation

OPTIONS: Final = (
    click.option(
        "--lifecycle",
        type=click.Choice(["stack", "stream", "ilm"]),
        default="stack",
        show_default=True,
        help="Who rolls over and deletes: the stack's own settings, the data stream, or a policy of ILM.",
    ),
    click.option("--retention", metavar="DAYS", default="", help="Delete data after that time, as 90d; else never."),
)


def assets_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """All of these options, as ``opened``: a context with the Installation."""

    @wraps(function)
    def called(*args: Any, target: Target, lifecycle: Any, retention: str, **options: Any) -> Any:
        with _opened(target, lifecycle, retention) as opened:
            return function(*args, opened=opened, **options)

    wrapped: Callable[..., Any] = called
    for option in reversed(OPTIONS):
        wrapped = option(wrapped)
    return elastic_options(wrapped)


@contextmanager
def _opened(target: Target, lifecycle: Any, retention: str) -> Iterator[Installation]:
    from kibana_assets.elasticsearch.cluster import Cluster
    from kibana_assets.install.desired import desired_objects, package_version
    from kibana_assets.install.installation import Installation
    from kibana_assets.install.lifecycle import Lifecycle
    from kibana_assets.package.tree import load

    tree = load()
    desired = desired_objects(tree, Lifecycle(lifecycle, retention))
    cluster = Cluster(target)
    try:
        yield Installation(cluster, desired, package_version(tree))
    finally:
        cluster.close()
