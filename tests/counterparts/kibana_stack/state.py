"""What this Kibana knows: spaces, logins, objects, packages, policies; and the switches by which it differs.

A test looks into these, and sets them.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.counterparts.elasticsearch import Node
from tests.counterparts.kibana import KEY, PASSWORD, USER
from tests.counterparts.kibana_stack.privileges import Authority

Json = dict[str, Any]
EVERYTHING = frozenset({"*"})
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
DEFAULT_HOST = {
    "id": "fleet-default-fleet-server-host",
    "name": "Default",
    "is_default": True,
    "host_urls": ["https://fleet.example.internal:8220"],
    "is_preconfigured": False,
}
DEFAULT_OUTPUT = {
    "id": "fleet-default-output",
    "name": "default",
    "type": "elasticsearch",
    "hosts": ["https://es.example.internal:9200"],
    "is_default": True,
    "is_default_monitoring": True,
}


@dataclass(slots=True)
class Registry:
    """What Fleet sees of the package registry: names that it has; not ``reachable`` behind an air gap."""

    names: frozenset[str] = frozenset({"nginx", "system", "fleet_server"})
    reachable: bool = True
    url: str = ""
    air_gapped: bool = False


@dataclass(slots=True)
class Stack:
    """The state. ``agents`` counts those of an agent policy.

    ``logins`` maps the Authorization header to actions, in which ``*`` stands for any text; with an ``authority`` a
    real Elasticsearch says who logs in and what each may do in a space.
    """

    version: str = "9.4.3"
    spaces: dict[str, str] = field(default_factory=lambda: {"default": "Default"})
    logins: dict[str, frozenset[str]] = field(default_factory=lambda: {f"ApiKey {KEY}": EVERYTHING, BASIC: EVERYTHING})
    secure: bool = True
    authority: Authority | None = None
    node: Node | None = None
    """A real Elasticsearch for what Fleet installs there; without one it is only written down."""
    objects: dict[str, dict[tuple[str, str], Json]] = field(default_factory=dict)
    rules: dict[str, dict[str, Json]] = field(default_factory=dict)
    can_encrypt: bool = True
    """Whether it has an encryption key of its own, without which there are no rules."""
    packages: dict[str, Any] = field(default_factory=dict)
    pipelines: dict[str, Json] = field(default_factory=dict)
    data_streams: dict[str, str] = field(default_factory=dict)
    index_templates: dict[str, Json] = field(default_factory=dict)
    """Those of others, as Elasticsearch has them."""
    claims: dict[str, str] = field(default_factory=dict)
    """Fleet's own book of datasets: their names → the package."""
    agent_policies: dict[str, Json] = field(default_factory=dict)
    package_policies: dict[str, Json] = field(default_factory=dict)
    enrolment_keys: dict[str, Json] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    hosts: list[Json] = field(default_factory=lambda: [dict(DEFAULT_HOST)])
    outputs: list[Json] = field(default_factory=lambda: [dict(DEFAULT_OUTPUT)])
    registry: Registry = field(default_factory=Registry)
    checks_uploads: bool = True
    """The stricter rules for uploads, of 8.19.22, 9.4.7, 9.5.4 and 9.6."""
    upload_pause: float = 10.0
    uploaded_at: float = float("-inf")
    known_versions: dict[str, str] = field(default_factory=lambda: {"dashboard": "10.2.0"})
    needs_versions: bool = True
    """Whether an import without migration versions makes it stumble, as 8.12 does."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def inside(self, space: str) -> dict[tuple[str, str], Json]:
        """The saved objects of a space, by type and id."""
        return self.objects.setdefault(space, {})

    def ids(self, space: str, kind: str) -> list[str]:
        """The ids of a space's objects of one type."""
        return sorted(name for one, name in self.inside(space) if one == kind)

    def knows(self, authorization: str | None) -> bool:
        """Whether somebody may log in so."""
        if not self.secure or self.authority is None:
            return not self.secure or authorization in self.logins
        return bool(authorization) and self.authority.knows(authorization or "")

    def granted(self, authorization: str | None, space: str, actions: Iterable[str]) -> frozenset[str]:
        """Those of the actions that a login may do in a space."""
        asked = frozenset(actions)
        if not self.secure or not asked:
            return asked
        if self.authority is not None:
            return self.authority.granted(authorization or "", space, asked)
        rights = self.logins.get(authorization or "", frozenset())
        return frozenset(one for one in asked if any(fnmatchcase(one, right) for right in rights))
