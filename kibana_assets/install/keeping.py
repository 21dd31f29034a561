"""How long the data of data streams that are there is kept, and what another wish changes in that. No I/O.

Rules: the lifecycle in a template counts for data streams that are made after it; Elasticsearch leaves those that are
there as they are. What holds for one is the lifecycle of the data stream, and the settings ``index.lifecycle.name`` and
``prefer_ilm`` of each of its indices. Both are to be as a new data stream would have them: what stands below our
component template, ours, and what users put above it. What is neither so, nor as our component template before had it,
was set by a person. Sources: elastic/elasticsearch, docs of data stream lifecycle ("Update the lifecycle of an existing
data stream", "Migrate ILM managed data stream to data stream lifecycle"), DataStreamLifecycle.java.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kibana_assets.connection.reasons import said
from kibana_assets.install.asset import Json, flat

NAME: Final = "index.lifecycle.name"
PREFER: Final = "index.lifecycle.prefer_ilm"
# What Elasticsearch works out by itself, and only shows.
_SHOWN: Final = ("effective_retention", "retention_determined_by", "rollover")
Ilm = tuple[str, bool]
"""Of an index: the policy, or nothing; whether that comes before the data stream's lifecycle."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """``lifecycle`` of a data stream, or None; ``ilm`` of its indices."""

    lifecycle: Json | None = field(hash=False)
    ilm: Ilm


@dataclass(frozen=True, slots=True)
class StreamKeeping:
    """A data stream: its own lifecycle, all that its indices say, and the parts of its template around ``component``.

    ``component`` names our component template; ``below`` and ``above`` are bodies, as ``template`` has them.
    """

    component: str
    index_template: str
    below: tuple[Json, ...] = field(hash=False)
    above: tuple[Json, ...] = field(hash=False)
    lifecycle: Json | None = field(hash=False)
    ilms: frozenset[Ilm]

    def within(self, ours: Json) -> Keeping:
        """How it is to be, with ``ours`` as the body of our component template."""
        return effective((*self.below, ours, *self.above))


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be done to a data stream: ``body`` with ``settings`` and ``lifecycle``; nothing if it is as wanted.

    ``copies`` are what it was, as ``path`` and ``body``, to be put again by hand.
    """

    name: str
    edited: bool
    words: str
    body: Json = field(hash=False)
    copies: tuple[Json, ...] = field(hash=False)


def says(template: Json) -> bool:
    """Whether a component template's body says anything of it."""
    return bool(template.get("lifecycle")) or any(key in (NAME, PREFER) for key, _ in _settings(template))


def plain(lifecycle: Json | None) -> Json | None:
    """A lifecycle without what Elasticsearch only shows, and with what it leaves unsaid."""
    if lifecycle is None:
        return None
    kept = {key: value for key, value in lifecycle.items() if key not in _SHOWN and value is not None}
    return {"enabled": True, **kept}


def ilm(settings: Json) -> Ilm:
    """What an index's settings, or a template's, say."""
    return str(settings.get(NAME) or ""), str(settings.get(PREFER, "true")).lower() != "false"


def effective(templates: Iterable[Json]) -> Keeping:
    """What these bodies of templates come to; the last one has the last word."""
    lifecycle: Json | None = None
    settings: Json = {}
    for template in templates:
        if template.get("lifecycle") is not None:
            lifecycle = {**(lifecycle or {}), **template["lifecycle"]}
        settings |= dict(_settings(template))
    return Keeping(plain(lifecycle), ilm(settings))


def move(name: str, found: StreamKeeping, before: Json, now: Json) -> Move:
    """From how it is to how it is to be, ``before`` and ``now`` being bodies of our component template."""
    old, new = found.within(before), found.within(now)
    strange = [one for one in sorted(found.ilms) if one != new.ilm]
    body: Json = {}
    if strange:
        body["settings"] = {NAME: new.ilm[0] or None, PREFER: new.ilm[1]}
    if found.lifecycle != new.lifecycle:
        body["lifecycle"] = new.lifecycle
    was = Keeping(found.lifecycle, strange[0] if strange else new.ilm)
    edited = found.lifecycle not in (old.lifecycle, new.lifecycle) or any(one != old.ilm for one in strange)
    return Move(name, edited, f"{_words(new)}; was: {_words(was)}", body, _copies(name, was, body))


def _settings(template: Json) -> list[tuple[str, object]]:
    return flat(template.get("settings") or {}, "")


def _words(keeping: Keeping) -> str:
    (policy, first), lifecycle = keeping.ilm, keeping.lifecycle or {"enabled": False}
    if policy and (first or not lifecycle["enabled"]):
        return f"by the ILM policy {said(policy)}"
    if not lifecycle["enabled"]:
        return "data stays"
    days = lifecycle.get("data_retention")
    return f"data goes after {days}" if days else "data stays, rolled over by itself"


def _copies(name: str, was: Keeping, body: Json) -> tuple[Json, ...]:
    made: list[Json] = []
    if "settings" in body:
        made.append({"path": f"/{name}/_settings", "body": {NAME: was.ilm[0] or None, PREFER: was.ilm[1]}})
    if "lifecycle" in body:
        made.append({"path": f"/_data_stream/{name}/_lifecycle", "body": was.lifecycle or {"enabled": False}})
    return tuple(made)
