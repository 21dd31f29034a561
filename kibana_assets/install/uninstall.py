"""Removing what was installed, stream by stream, and nothing else.

Rules: only what carries our marks goes, and what somebody edited only with ``force``. Data goes only with ``data``, and
only that of streams whose template is ours. Data that stays loses its pipeline, else it could not be written to. Where
Elasticsearch refuses to give a template away, since no other would fit the data that stays, everything of that stream
stays, with the reason: half a stream would be worse.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kibana_assets.connection.address import segment
from kibana_assets.elasticsearch import stored
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import KibanaAssetsError
from kibana_assets.install.apply import Objects, Say, half, remove
from kibana_assets.install.asset import COMPONENT, DATA_STREAM, ILM_POLICY, INDEX, PIPELINE
from kibana_assets.install.chain import calls, without_call
from kibana_assets.install.plan import EDITED, SHARED, Change, Found, State

ORDER = (DATA_STREAM, INDEX, COMPONENT, PIPELINE, ILM_POLICY)
_TAKEN = "the data stays, its pipeline is taken away"


@dataclass(frozen=True, slots=True)
class Left:
    """What had to stay, and why."""

    change: Change
    reason: str


def plan_removal(state: State, *, data: bool = False, force: bool = False) -> tuple[Change, ...]:
    """The changes that take everything of ours away, in their order."""
    ours = {key: found for key, found in state.assets.items() if found.ours and key[0] != SHARED}
    stems = [name for kind, _, name in ours if kind == INDEX]
    calling = {key: found for key, found in state.assets.items() if calls(found.body) and not _is_whole(found)}
    made = [_remove(*key, found, force) for key, found in ours.items() if key not in calling]
    for (kind, space, name), found in calling.items():
        body = without_call(found.body)
        made.append(Change(kind, name, space, "update", "no longer calls ours", None, found, body=body))
    for name, stream in state.streams.items():
        if stream.pattern.removesuffix("-*") in stems:
            kept = Change(DATA_STREAM, name, "", "update", _TAKEN, pipeline="_none")
            made.append(replace(kept, action="remove", reason="its data goes", pipeline="") if data else kept)
    return tuple(sorted(made, key=_place))


def _remove(kind: str, space: str, name: str, found: Found, force: bool) -> Change:
    reason = "as installed" if not found.edited else f"{EDITED}: removed" if force else EDITED
    return Change(kind, name, space, "keep" if reason == EDITED else "remove", reason, None, found)


def _is_whole(found: Found) -> bool:
    """Whether it is as we left it, and so goes as a whole."""
    return found.ours and not found.edited


def _place(change: Change) -> tuple[int, int, str]:
    """Kibana's first; data that goes before its template, data that stays after it."""
    if change.space:
        return (0, 0, change.id)
    if change.body is not None:
        return (1, 0, change.id)
    late = change.kind == DATA_STREAM and change.action == "update"
    # Behind the index templates: by name alone "logs-x-default" would come after "logs-x".
    return (1, ORDER.index(COMPONENT) if late else ORDER.index(change.kind), change.id)


def uninstall(
    changes: Iterable[Change],
    cluster: Cluster,
    version: str,
    *,
    kibana: Objects | None = None,
    say: Say = lambda change: None,
) -> tuple[Left, ...]:
    """Make the changes; what had to stay. Raises: KibanaAssetsError, which says how far it came."""
    todo = [change for change in changes if change.action != "keep"]
    kept = [change for change in changes if change.action == "keep"]
    removal = _Removal(cluster, {_stem(one) for one in kept if one.kind in (INDEX, COMPONENT)}, [], [], say)
    try:
        if kibana is not None:
            kibana.apply([change for change in todo if change.space], version, removal.done)
            kibana.forget()
        for change in (change for change in todo if not change.space):
            removal.step(change)
    except KibanaAssetsError as error:
        raise half(error, removal.made, todo) from error
    return tuple(removal.left)


@dataclass(slots=True)
class _Removal:
    cluster: Cluster
    staying: set[str]
    made: list[Change]
    left: list[Left]
    say: Say

    def done(self, change: Change) -> None:
        self.made.append(change)
        self.say(change)

    def step(self, change: Change) -> None:
        stem = _stem(change)
        if stem in self.staying:
            self.left.append(Left(change, "its template stays"))
            return
        if change.kind == DATA_STREAM and change.action == "update":
            self.cluster.call("PUT", f"/{change.id}/_settings", {"index.default_pipeline": None})
        elif change.body is not None:
            stored.put(self.cluster, change.kind, change.id, change.body)
        elif change.kind == DATA_STREAM:
            self.cluster.delete(f"/_data_stream/{segment(change.id)}")
        else:
            reason = remove(change, self.cluster)
            if reason:
                self.staying.add(stem)
                self.left.append(Left(change, reason))
                return
        self.done(change)


def _stem(change: Change) -> str:
    """The name that all of a stream's assets begin with: ``logs-local_llm.proxy_access``."""
    kind, _, rest = change.id.partition("-")
    return f"{kind}-{rest.partition('@')[0].partition('-')[0]}"
