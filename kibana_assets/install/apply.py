"""Doing what the plan says, in its order.

Rules: every step may be done again. Where one fails, the error says what is in and what is not; the next run finds the
state as it is and goes on. A rollover, which must not be done twice, is not repeated after a cut: the next plan sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from kibana_assets.connection.address import segment
from kibana_assets.elasticsearch import stored
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import KibanaAssetsError, RefusedError
from kibana_assets.install.asset import DATA_STREAM, LIFECYCLE, Asset, marked
from kibana_assets.install.plan import Change
from kibana_assets.install.weaker import MOST, weaker

Say = Callable[[Change], None]
Note = Callable[[str], None]


class Objects(Protocol):
    """Where objects of Kibana's go; all of a space at once, since they refer to each other."""

    def apply(self, changes: Iterable[Change], version: str, say: Say) -> None:
        """Make these changes. Raises: KibanaAssetsError."""

    def forget(self) -> None:
        """After all removals: take out of the record what is no longer there. Raises: KibanaAssetsError."""


@dataclass(slots=True)
class _Progress:
    done: list[Change]
    say: Say

    def __call__(self, change: Change) -> None:
        self.done.append(change)
        self.say(change)


def apply(
    changes: Iterable[Change],
    cluster: Cluster,
    version: str,
    *,
    kibana: Objects | None = None,
    say: Say = lambda change: None,
    note: Note = lambda text: None,
) -> int:
    """Make the changes; how many there were. ``note`` is told what this cluster could not take.

    Raises: KibanaAssetsError, which says how far it came.
    """
    todo = [change for change in changes if change.action != "keep"]
    progress = _Progress([], say)
    try:
        for change in todo:
            if not change.space:
                _apply(change, cluster, version, note)
                progress(change)
        if kibana is not None:
            kibana.apply([change for change in todo if change.space], version, progress)
    except KibanaAssetsError as error:
        raise half(error, progress.done, todo) from error
    return len(todo)


def _apply(change: Change, cluster: Cluster, version: str, note: Note) -> None:
    if change.kind == DATA_STREAM:
        _follow(change, cluster)
    elif change.kind == LIFECYCLE:
        _keep(change, cluster)
    elif change.body is not None:
        stored.put(cluster, change.kind, change.id, change.body)
    elif change.action == "remove":
        remove(change, cluster)
    elif change.asset is not None:
        _put(change.asset, cluster, version, note)


def _put(asset: Asset, cluster: Cluster, version: str, note: Note) -> None:
    """Put what is wanted, or what of it this cluster has the parts for."""
    body = asset.body
    for left in reversed(range(MOST)):
        try:
            return stored.put(cluster, asset.kind, asset.id, marked(asset, version, body))
        except RefusedError as error:
            found = weaker(asset.kind, body, error.message) if error.status == 400 and left else None
            if found is None:
                raise
            body = found[0]
            note(f"{asset.id}: this Elasticsearch has {found[1]}")
    return None


def remove(change: Change, cluster: Cluster) -> str:
    """Remove what the change names; why it had to stay, where Elasticsearch says that something needs it.

    Raises: as Cluster.call.
    """
    try:
        stored.remove(cluster, change.kind, change.id)
    except RefusedError as error:
        if error.status != 400:
            raise
        return error.message
    return ""


def _follow(change: Change, cluster: Cluster) -> None:
    if change.roll_over:
        cluster.call("POST", f"/{change.id}/_rollover", once=True)
    if change.pipeline:
        cluster.call("PUT", f"/{change.id}/_settings", {"index.default_pipeline": change.pipeline})


def _keep(change: Change, cluster: Cluster) -> None:
    """The lifecycle first: one that stood behind a policy, and is shorter, must not come into force for a moment."""
    body = change.body or {}
    path = f"/_data_stream/{segment(change.id)}/_lifecycle"
    if body.get("lifecycle"):
        cluster.call("PUT", path, body["lifecycle"])
    elif "lifecycle" in body:
        cluster.delete(path)
    if "settings" in body:
        cluster.call("PUT", f"/{change.id}/_settings", body["settings"])


def half(error: KibanaAssetsError, done: list[Change], todo: list[Change]) -> KibanaAssetsError:
    """The same error with how far it came; nothing is added where nothing was begun."""
    made = {id(change) for change in done}
    missing = [change for change in todo if id(change) not in made]
    there = f": {_names(done)}" if done else ""
    error.message = error.message.rstrip(".")
    error.message += f". In are {len(done)} of {len(todo)} changes{there}; not in: {_names(missing)}"
    error.args = (error.message,)
    error.hint = f"{error.hint} Running the same command again goes on from there.".strip()
    return error


def _names(changes: list[Change]) -> str:
    names = [f"{change.kind} {change.id}" + (f" (space {change.space})" if change.space else "") for change in changes]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
