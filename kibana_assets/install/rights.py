"""Asking what a login may do in Kibana, before anything is written there, and refusing by name what it may not.

Rules: Elasticsearch is asked, as Kibana itself asks it, with the login that Kibana gets: one request for all spaces,
which changes nothing. What cannot be asked is taken as granted: refusing somebody who could have installed is worse
than being refused later. So is an answer that Kibana contradicts: another cluster stands behind that Kibana, or a proxy
logs in for us. A refusal names all that is missing in all spaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import RefusedError
from kibana_assets.install.plan import Change
from kibana_assets.kibana.interface import SavedObjects
from kibana_assets.kibana.request import DEFAULT
from kibana_assets.kibana.rights import (
    APPLICATION,
    CONNECTORS,
    READ,
    REMOVE,
    RULE,
    WRITE,
    Lack,
    fleet_actions,
    hint,
    in_words,
    lacking_fleet,
    lacking_objects,
    object_actions,
    resources,
)

_NEEDS: Final = {"create": WRITE, "update": WRITE, "remove": REMOVE}


def objects_lacking(cluster: Cluster, kibana: SavedObjects, spaces: Sequence[str]) -> tuple[Lack, ...]:
    """What the login lacks of saved objects in these spaces. Raises: UnreachableError."""
    lacks = lacking_objects(_flags(cluster, kibana, object_actions(), spaces), spaces)
    for space in dict.fromkeys(one.space for one in lacks if READ in one.operations):
        if kibana.may_read(space, [one.kind for one in lacks if one.space == space and READ in one.operations]):
            return ()
    return lacks


def fleet_lacking(cluster: Cluster, kibana: SavedObjects, spaces: Sequence[str]) -> tuple[Lack, ...]:
    """What the login lacks of Fleet in these spaces, where Kibana has let it into Fleet. Raises: UnreachableError."""
    asked = dict.fromkeys((DEFAULT, *spaces))
    return lacking_fleet(_flags(cluster, kibana, fleet_actions(), asked), spaces)


def needed(lacks: Iterable[Lack], changes: Iterable[Change]) -> tuple[Lack, ...]:
    """Those of ``lacks`` that these changes need."""
    listed = [one for one in changes if one.space and one.action in _NEEDS]
    wanted = {(one.space, one.kind, _NEEDS[one.action]) for one in listed}
    told = [one for one in listed if one.kind == RULE and one.action == "update" and one.found]
    wanted |= {(one.space, CONNECTORS, WRITE) for one in told if one.found and one.found.body.get("actions")}
    left = [
        replace(lack, operations=frozenset(one for one in lack.operations if (lack.space, lack.kind, one) in wanted))
        for lack in lacks
    ]
    return tuple(one for one in left if one.operations)


def unreadable(lacks: Iterable[Lack]) -> tuple[Lack, ...]:
    """All of ``lacks`` if something may not even be read, which every plan needs; else none.

    Connectors are not among them: only some changes of rules need those.
    """
    listed = tuple(one for one in lacks if one.kind != CONNECTORS)
    return listed if any(READ in one.operations for one in listed) else ()


def refuse(kibana: SavedObjects, lacks: Iterable[Lack], unseen: Iterable[str] = ()) -> None:
    """Raises: RefusedError that names each of ``lacks``; ``unseen`` are spaces that may also not be there."""
    listed = tuple(lacks)
    if not listed:
        return
    named = [space for space in unseen if any(one.space == space for one in listed)]
    more = f" (if there is a space {', '.join(named)}: this login does not see it)" if named else ""
    text = f"{kibana.place}: this login lacks privileges in Kibana: {in_words(listed)}{more}. Nothing was changed"
    raise RefusedError(text, hint=hint(listed), status=403)


def _flags(cluster: Cluster, kibana: SavedObjects, actions: list[str], spaces: Iterable[str]) -> dict[str, Any]:
    """Resource → action → whether it is allowed; empty where that cannot be asked."""
    if not kibana.authorization:
        return {}
    asked = {"application": APPLICATION, "privileges": actions, "resources": resources(spaces)}
    path, body = "/_security/user/_has_privileges", {"application": [asked]}
    try:
        answer = cluster.call("POST", path, body, authorization=kibana.authorization)
    except RefusedError:
        return {}
    found = answer.get("application") if isinstance(answer, dict) else None
    flags = found.get(APPLICATION) if isinstance(found, dict) else None
    return flags if isinstance(flags, dict) else {}
