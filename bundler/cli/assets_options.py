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
    click.option("--custom-pipelines", is_flag=True, help="Also @custom pipelines for Elastic's Nginx integration."),
    click.option("--lmstudio-dataset", metavar="NAME", help="And for a log integration that reads LM Studio's log."),
    click.option("--retention", metavar="DAYS", default="", help="Delete data after that time, as 90d; else never."),
)


def assets_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """All of these options, as ``opened``: a context with the Installation."""

    @wraps(function)
    def called(*args: Any, target: Target, **options: Any) -> Any:
        given = {name: options.pop(name) for name in ("lifecycle", "retention", "custom_pipelines", "lmstudio_dataset")}
        with _opened(target, **given) as opened:
            return function(*args, opened=opened, **options)

    wrapped: Callable[..., Any] = called
    for option in reversed(OPTIONS):
        wrapped = option(wrapped)
    return elastic_options()(wrapped)


@contextmanager
def _opened(
    target: Target, *, lifecycle: Any, retention: str, custom_pipelines: bool, lmstudio_dataset: str | None
) -> Iterator[Installation]:
    from kibana_assets.elasticsearch.cluster import Cluster
    from kibana_assets.install.chain import chained
    from kibana_assets.install.desired import desired_objects, package_version
    from kibana_assets.install.installation import Installation
    from kibana_assets.install.lifecycle import Lifecycle
    from kibana_assets.package.streams import streams
    from kibana_assets.package.tree import load

    tree = load()
    desired = desired_objects(tree, Lifecycle(lifecycle, retention))
    if custom_pipelines or lmstudio_dataset:
        desired = (*desired, *chained(tree, lmstudio_dataset))
    cluster = Cluster(target)
    try:
        yield Installation(cluster, streams(tree), desired, package_version(tree))
    finally:
        cluster.close()
