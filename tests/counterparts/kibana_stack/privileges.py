"""Kibana's privileges: what its features stand for, put into a real Elasticsearch, and who has them asked there.

As Kibana does: at its start it registers each feature's privileges with the actions that they stand for, under the
application ``kibana-.kibana``; every check asks Elasticsearch, with the login of the request, for those actions in the
space. Of the features are here those that concern us, with the actions that concern us. Read in elastic/kibana:
authorization_core (feature_privilege_builder/saved_object.ts, alerting.ts), plugins security (authorization_service.ts,
check_privileges.ts), features (oss_features.ts), saved_objects_tagging, stack_alerts, actions and fleet (plugin.ts).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import requests

from tests.counterparts.elasticsearch import Node

APPLICATION = "kibana-.kibana"
LOGIN = "login:"
READING = ("bulk_get", "get", "find", "open_point_in_time", "close_point_in_time")
WRITING = ("create", "bulk_create", "update", "bulk_update", "delete", "bulk_delete", "share_to_space")
ALL_TYPES = ("dashboard", "index-pattern", "tag", "search", "lens", "visualization", "map", "links", "query")
SHOWN = ("index-pattern", "search", "visualization", "lens", "links", "map", "tag")
"""What a dashboard may be made of."""


def _objects(all_of: Iterable[str] = (), read: Iterable[str] = ()) -> list[str]:
    written = [f"saved_object:{kind}/{operation}" for kind in all_of for operation in (*READING, *WRITING)]
    return written + [f"saved_object:{kind}/{operation}" for kind in read for operation in READING]


def _rules(*operations: str) -> list[str]:
    consumers = ("stackAlerts", "alerts")
    return [f"alerting:.es-query/{one}/rule/{operation}" for one in consumers for operation in operations]


_FLEET = ("all", "agents-all", "agent-policies-all", "settings-all")
_FLEET_READ = ("read", "agents-read", "agent-policies-read", "settings-read")
_RULE_READ = ("get", "find")
_RULE_ALL = (*_RULE_READ, "create", "delete", "update", "enable", "disable")
FEATURES: dict[str, list[str]] = {
    "feature_dashboard.all": _objects(("dashboard", "query"), SHOWN),
    "feature_dashboard.read": _objects(read=("dashboard", "query", *SHOWN)),
    "feature_dashboard_v2.all": _objects(("dashboard",), SHOWN),
    "feature_dashboard_v2.read": _objects(read=("dashboard", *SHOWN)),
    "feature_indexPatterns.all": [*_objects(("index-pattern",)), "api:indexPatterns:manage"],
    "feature_indexPatterns.read": _objects(read=("index-pattern",)),
    "feature_savedObjectsTagging.all": _objects(("tag",)),
    "feature_savedObjectsTagging.read": _objects(read=("tag",)),
    "feature_savedObjectsManagement.all": _objects(ALL_TYPES),
    "feature_savedObjectsManagement.read": _objects(read=ALL_TYPES),
    "feature_stackAlerts.all": _rules(*_RULE_ALL),
    "feature_stackAlerts.read": _rules(*_RULE_READ),
    "feature_actions.read": ["saved_object:action/get"],
    "feature_fleetv2.all": [f"api:fleet-{one}" for one in (*_FLEET, *_FLEET_READ)],
    "feature_fleetv2.read": [f"api:fleet-{one}" for one in _FLEET_READ],
    "feature_fleet.all": ["api:integrations-all", "api:integrations-read"],
    "feature_fleet.read": ["api:integrations-read"],
}


def register(node: Node) -> None:
    """Tell Elasticsearch what the privileges stand for, as Kibana does when it starts."""
    rows = {
        name: {"application": APPLICATION, "name": name, "actions": [LOGIN, *dict.fromkeys(actions)], "metadata": {}}
        for name, actions in FEATURES.items()
    }
    every = list(dict.fromkeys(action for actions in FEATURES.values() for action in actions))
    rows["all"] = {"application": APPLICATION, "name": "all", "actions": [LOGIN, *every], "metadata": {}}
    node.call("PUT", "_security/privilege", {APPLICATION: rows})


@dataclass(frozen=True, slots=True)
class Authority:
    """A node that knows logins and what they may do."""

    url: str

    def knows(self, authorization: str) -> bool:
        """Whether this is a login."""
        return self._ask("GET", "_authenticate", authorization).status_code == 200

    def granted(self, authorization: str, space: str, actions: Iterable[str]) -> frozenset[str]:
        """Those of the actions that the login may do in a space."""
        asked = {"application": APPLICATION, "resources": [f"space:{space}"], "privileges": list(actions)}
        answer = self._ask("POST", "user/_has_privileges", authorization, {"application": [asked]})
        answer.raise_for_status()
        flags = answer.json()["application"][APPLICATION][f"space:{space}"]
        return frozenset(action for action, has in flags.items() if has)

    def _ask(self, method: str, path: str, authorization: str, body: object = None) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": authorization}
            return session.request(method, f"{self.url}/_security/{path}", json=body, headers=headers, timeout=60)
