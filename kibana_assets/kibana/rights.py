"""What a login must have in a space of Kibana, and what to grant where it is missing. No I/O.

Rules: asked are the actions that Kibana itself asks Elasticsearch for, under the one application name that a Kibana
of 8 and newer has: reading back is ``bulk_get``, an import ``bulk_create`` for each type in it, removing ``delete``.
Named is what Kibana's page of roles calls it. An answer that lacks a part, or has another form, says nothing. Sources:
elastic/kibana, plugin security (authorization_service.ts, saved_objects_security_extension.ts), authorization_core
(actions, feature_privilege_builder/saved_object.ts), plugins features, saved_objects_tagging, stack_alerts and fleet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kibana_assets.kibana.request import DEFAULT

APPLICATION: Final = "kibana-.kibana"
READ: Final = "read"
WRITE: Final = "write"
REMOVE: Final = "remove"
RULE: Final = "alerting_rule"
CONNECTORS: Final = "connectors"
"""Needed where somebody gave a rule an action: who changes the rule must be allowed to read the action's connector."""
FLEET: Final = "fleet"
INTEGRATIONS: Final = "integrations"
_OPERATIONS: Final = {READ: "bulk_get", WRITE: "bulk_create", REMOVE: "delete"}
_CONNECTORS: Final = "saved_object:action/get"
OBJECTS: Final = ("dashboard", "tag", "index-pattern")
"""The types of saved objects that are imported."""
_GRANTS: Final = {
    "dashboard": "Dashboard: All",
    "tag": "Tag Management: All",
    "index-pattern": "Data View Management: All",
    RULE: "Stack Rules: All",
    CONNECTORS: "Actions and Connectors: Read",
    FLEET: "Fleet: All",
    INTEGRATIONS: "Integrations: All",
}
_FLEET_ACTIONS: Final = {
    FLEET: {READ: "api:fleet-agent-policies-read", WRITE: "api:fleet-agent-policies-all"},
    INTEGRATIONS: {READ: "api:integrations-read", WRITE: "api:integrations-all"},
}
_FLEET_SEEN: Final = tuple(f"api:fleet-{one}" for one in ("all", "agents-read", "agent-policies-read", "settings-read"))
"""Any of these a login has, in the default space, that Kibana's ``check-permissions`` lets in."""


@dataclass(frozen=True, slots=True)
class Lack:
    """What a login may not do with a kind in a space: some of READ, WRITE, REMOVE."""

    space: str
    kind: str
    operations: frozenset[str]


def resources(spaces: Iterable[str]) -> list[str]:
    """The spaces as Kibana names them to Elasticsearch."""
    return [f"space:{space}" for space in spaces]


def object_actions() -> list[str]:
    """The actions to be asked for saved objects, and for what rules refer to."""
    return [*(f"saved_object:{kind}/{name}" for kind in OBJECTS for name in _OPERATIONS.values()), _CONNECTORS]


def fleet_actions() -> list[str]:
    """The actions to be asked for Fleet."""
    wanted = [action for one in _FLEET_ACTIONS.values() for action in one.values()]
    return list(dict.fromkeys((*wanted, *_FLEET_SEEN)))


def lacking_objects(flags: Mapping[str, Any], spaces: Iterable[str]) -> tuple[Lack, ...]:
    """What of saved objects and connectors a login lacks; ``flags`` are resource → action → whether it is allowed."""
    wanted = {kind: {one: f"saved_object:{kind}/{name}" for one, name in _OPERATIONS.items()} for kind in OBJECTS}
    wanted[CONNECTORS] = {WRITE: _CONNECTORS}
    return tuple(
        lack for space in spaces for kind, wants in wanted.items() for lack in _lack(flags, space, kind, wants)
    )


def lacking_fleet(flags: Mapping[str, Any], spaces: Iterable[str]) -> tuple[Lack, ...]:
    """What of Fleet a login lacks that Kibana has let into Fleet; nothing where the two contradict each other."""
    default = _told(flags, DEFAULT)
    if not any(default.get(action) is True for action in _FLEET_SEEN):
        return ()
    return tuple(
        lack for space in spaces for kind, wants in _FLEET_ACTIONS.items() for lack in _lack(flags, space, kind, wants)
    )


def _lack(flags: Mapping[str, Any], space: str, kind: str, wants: Mapping[str, str]) -> Iterator[Lack]:
    told = _told(flags, space)
    lacks = frozenset(operation for operation, action in wants.items() if told.get(action) is False)
    if lacks:
        yield Lack(space, kind, lacks)


def _told(flags: Mapping[str, Any], space: str) -> Mapping[str, Any]:
    found = flags.get(f"space:{space}")
    return found if isinstance(found, dict) else {}


def in_words(lacks: Iterable[Lack]) -> str:
    """What is to be granted, space by space."""
    spaces: dict[str, list[str]] = {}
    for one in lacks:
        spaces.setdefault(one.space, []).append(_GRANTS[one.kind])
    return "; ".join(f"space {space}: {', '.join(dict.fromkeys(grants))}" for space, grants in spaces.items())


def hint(lacks: Iterable[Lack]) -> str:
    """The command that prints the role, with what else helps."""
    listed = tuple(lacks)
    spaces = dict.fromkeys(one.space for one in listed if one.kind not in _FLEET_ACTIONS)
    options = [f"--space {space}" for space in spaces]
    if any(one.kind in _FLEET_ACTIONS for one in listed):
        options.append("--fleet")
    more = " --no-rules goes without rules." if any(one.kind == RULE for one in listed) else ""
    return f"llm-bundle assets role {' '.join(options)} prints the role; --create makes it, and a key.{more}"
