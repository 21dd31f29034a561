"""The plan: from what is wanted and what is there to changes. No I/O.

Rules: what is as wanted, and ours, is kept. What is ours and as we left it is brought up to date. What somebody edited,
or put there under the same name, is kept with the reason; with ``force`` it is replaced (a backup is written first),
but never what Fleet put there. What we put and want no longer is removed, after everything that needed it has gone.
Data streams follow their templates: they roll over when their mappings are of others, and their older indices name the
new pipeline, so that the old one can go. Their lifecycles change before the templates do: what is in these then still
tells what we put, and what a person did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from kibana_assets.install.asset import (
    COMPONENT,
    DATA_STREAM,
    ILM_POLICY,
    INDEX,
    LIFECYCLE,
    PIPELINE,
    RULE,
    Asset,
    Json,
    digest,
    is_fleets,
    marks_of,
)
from kibana_assets.install.chain import with_call
from kibana_assets.install.desired import mapping_mark
from kibana_assets.install.keeping import StreamKeeping, move, says
from kibana_assets.install.lifecycle import CUSTOM

Action = Literal["create", "update", "keep", "remove"]
Key = tuple[str, str, str]
"""Kind, space, id."""
UP_TO_DATE: Final = "up to date"
EDITED: Final = "edited by hand"
FOREIGN: Final = "there already, not by us"
SHARED: Final = "index-pattern"
"""Data views belong to everybody: one that is there is as good as ours."""
FLEETS: Final = "installed by Fleet"


@dataclass(frozen=True, slots=True)
class Found:
    """What is there: ``version`` and ``hash`` are our marks, empty where it is not ours; ``now`` its digest.

    ``sent`` is the digest of what was wanted when we put it, where the server keeps another form of that.
    """

    body: Json = field(hash=False)
    now: str
    version: str = ""
    hash: str = ""
    sent: str = ""

    @property
    def ours(self) -> bool:
        """Whether we put it."""
        return bool(self.hash)

    @property
    def edited(self) -> bool:
        """Whether it is another than we left."""
        return self.ours and self.hash != self.now


@dataclass(frozen=True, slots=True)
class StreamFound:
    """A data stream: its template's pattern, the mapping mark of its newest index, and the pipelines of all."""

    pattern: str
    mark: str
    pipelines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """What a stack has of what concerns us."""

    assets: Mapping[Key, Found] = field(default_factory=dict)
    streams: Mapping[str, StreamFound] = field(default_factory=dict)
    keeping: Mapping[str, StreamKeeping] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the plan. ``asset`` is what is wanted, ``found`` what is there."""

    kind: str
    id: str
    space: str
    action: Action
    reason: str
    asset: Asset | None = field(default=None, hash=False)
    found: Found | None = field(default=None, hash=False)
    roll_over: bool = False
    pipeline: str = ""
    body: Json | None = field(default=None, hash=False)
    """What is put instead of the asset, without marks."""

    @property
    def key(self) -> Key:
        """Kind, space, id."""
        return self.kind, self.space, self.id

    @property
    def overwrites(self) -> bool:
        """Whether something of somebody else's is changed by it."""
        if self.found is None or self.action not in ("update", "remove") or (self.kind == RULE and self.body):
            return False
        told = self.kind == RULE and self.action == "remove" and self.found.body.get("actions")
        return bool(self.found.edited or not self.found.ours or told)


def of_elasticsearch(kind: str, body: Json) -> Found:
    """What was found, with the marks that it carries."""
    marks = marks_of(body)
    was = marks.get("hash", "")
    return Found(body, digest(kind, body), marks.get("version", ""), was, marks.get("asked") or was)


def plan(desired: Iterable[Asset], state: State, version: str, *, force: bool = False) -> tuple[Change, ...]:
    """The changes in the order in which they are made; those that change nothing too."""
    wanted = tuple(desired)
    changes = tuple(
        _change(asset, state.assets.get((asset.kind, asset.space, asset.id)), version, force) for asset in wanted
    )
    obsolete = _obsolete(wanted, state, force)
    first = tuple(change for change in changes if change.kind == ILM_POLICY)
    kept = _lifecycles((*changes, *obsolete), state, force)
    return (*first, *kept, *changes[len(first) :], *_follow(changes, state), *obsolete)


def changes_something(changes: Iterable[Change]) -> bool:
    """Whether anything would be done."""
    return any(change.action != "keep" for change in changes)


def _change(asset: Asset, found: Found | None, version: str, force: bool) -> Change:
    def made(action: Action, reason: str) -> Change:
        return Change(asset.kind, asset.id, asset.space, action, reason, asset, found)

    if found is None:
        return made("create", "missing" if asset.body.get("enabled", True) else "missing; is made switched off")
    if asset.calls and (not found.ours or found.edited):
        body = with_call(found.body, asset.calls)
        if body is found.body:
            return made("keep", UP_TO_DATE)
        return replace(made("update", "calls ours too, keeps what it has"), body=body)
    if asset.kind == SHARED:
        return made("keep", UP_TO_DATE)
    if is_fleets(found.body):
        return made("keep", FLEETS)
    if not found.ours:
        return made("update", f"{FOREIGN}: replaced") if force else made("keep", FOREIGN)
    if asset.kind == RULE and not (found.edited and force) and (found.edited or found.sent == asset.digest):
        # Not for a new version alone: a rule runs with the rights of whoever changed it last.
        return _rule(made("keep", EDITED if found.edited else UP_TO_DATE))
    if found.edited:
        return made("update", f"{EDITED}: replaced") if force else made("keep", EDITED)
    if found.sent == asset.digest and found.version == version:
        return made("keep", UP_TO_DATE)
    was = f"from {found.version}" if found.version != version else "other content"
    return made("update", was)


def _rule(kept: Change) -> Change:
    """A rule whose content stays; to be switched on if that is wanted, also one that was edited."""
    if not (kept.asset and kept.found and kept.asset.body["enabled"] and not kept.found.body.get("enabled")):
        return kept
    more = f", {EDITED}: else kept" if kept.reason == EDITED else ""
    return replace(kept, action="update", reason=f"is switched on{more}", body={"enabled": True})


def _obsolete(wanted: tuple[Asset, ...], state: State, force: bool) -> list[Change]:
    names = {(asset.kind, asset.space, asset.id) for asset in wanted}
    made = []
    rules = any(asset.kind == RULE for asset in wanted)
    scopes = tuple({asset.stream.partition(".")[0] + "." for asset in wanted if asset.stream})
    for key in reversed(list(state.assets)):
        found = state.assets[key]
        # Only of the streams: what other options of an earlier run installed, this one does not name.
        if key in names or key[0] == SHARED or not found.ours or (key[0] == RULE and not rules):
            continue
        if not key[1] and key[2] != CUSTOM and not (scopes and key[2].startswith(scopes)):
            continue
        kept = found.edited and not force
        reason = EDITED if kept else f"of {found.version}, no longer wanted"
        kind, space, name = key
        made.append(Change(kind, name, space, "keep" if kept else "remove", reason, None, found))
    return made


def _follow(changes: tuple[Change, ...], state: State) -> list[Change]:
    """What data streams must do to follow the component templates that are in, or will be."""
    wanted = {
        change.asset.stream: change.asset
        for change in changes
        if change.kind == COMPONENT and change.asset and (change.action != "keep" or change.reason == UP_TO_DATE)
    }
    there = {change.id for change in changes if change.kind == PIPELINE}
    made = []
    for name, found in state.streams.items():
        if found.pattern not in wanted:
            continue
        template = wanted[found.pattern].body["template"]
        pipeline = template["settings"]["index"]["default_pipeline"]
        roll = found.mark != mapping_mark(template["mappings"])
        stale = pipeline in there and any(one != pipeline for one in found.pipelines)
        reasons = [*(["new mappings: rolls over"] if roll else []), *(["older indices: new pipeline"] if stale else [])]
        action: Action = "update" if reasons else "keep"
        why = ", ".join(reasons) or UP_TO_DATE
        made.append(Change(DATA_STREAM, name, "", action, why, roll_over=roll, pipeline=pipeline if stale else ""))
    return made


def _lifecycles(changes: tuple[Change, ...], state: State, force: bool) -> list[Change]:
    """How long data streams that are there keep their data, once our component templates are in."""
    made = []
    templates = {(change.kind, change.id): change for change in changes if change.kind in (COMPONENT, INDEX)}
    for name, found in state.keeping.items():
        change = templates.get((COMPONENT, found.component))
        around = templates.get((INDEX, found.index_template))
        if change is None or any(one and one.action == "keep" and one.reason != UP_TO_DATE for one in (change, around)):
            continue
        before = (change.found.body.get("template") or {}) if change.found else {}
        now: Json = change.asset.body["template"] if change.asset else {}
        if says(before) or says(now):
            made.append(_lifecycle(name, found, before, now, force))
    return made


def _lifecycle(name: str, found: StreamKeeping, before: Json, now: Json, force: bool) -> Change:
    needed = move(name, found, before, now)
    if not needed.body:
        return Change(LIFECYCLE, name, "", "keep", UP_TO_DATE)
    if not needed.edited:
        return Change(LIFECYCLE, name, "", "update", needed.words, body=needed.body)
    if not force:
        return Change(LIFECYCLE, name, "", "keep", EDITED)
    was = Found({"copies": needed.copies}, "")
    return Change(LIFECYCLE, name, "", "update", f"{EDITED}: replaced: {needed.words}", None, was, body=needed.body)
