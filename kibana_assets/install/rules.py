"""Alerting rules as assets, made from the package's templates: what Fleet leaves to a click of a person's.

Rules: a rule is made switched off, for it runs with the rights of whoever switches it on. Whether it is on, and whom it
tells (its actions), is for whoever runs the stack to say: neither counts as an edit, and both are kept when the rest
changes. Ids are unique over all spaces, so each space has its own, always the same. Source of the keys: elastic/kibana,
alerting/common/routes/rule/apis.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID, uuid5

from kibana_assets.errors import PackageError
from kibana_assets.install.asset import RULE, Asset, Json
from kibana_assets.package.tree import Tree

FOLDER: Final = "kibana/alerting_rule_template"
CONSUMER: Final = "stackAlerts"
"""Who may see and change it: those with the privilege "Stack Rules"."""
_NAMESPACE: Final = UUID("6b1b3f0e-5c0f-5a52-9d0b-8f6c7b0a7e11")
_OURS: Final = ("name", "tags", "schedule", "params", "alert_delay")
_KEPT: Final = ("throttle", "notify_when", "flapping", "artifacts")
_ACTION: Final = ("group", "id", "params", "frequency", "uuid", "alerts_filter", "use_alert_data_for_template")


def wanted_rules(tree: Tree, spaces: Iterable[str], *, enabled: bool) -> tuple[Asset, ...]:
    """Each rule in each space. Raises: PackageError."""
    listed = [_template(tree, path) for path in tree.paths(FOLDER, ".json")]
    return tuple(
        Asset(RULE, name, {**body, "enabled": enabled}, space=space) for space in spaces for name, body in listed
    )


def rule_id(space: str, name: str) -> str:
    """The id of a rule in a space."""
    return str(uuid5(_NAMESPACE, f"{space}/{name}"))


def as_changed(wanted: Json, found: Json) -> Json:
    """The body by which a rule that is there gets another content, and keeps what a person gave it."""
    kept = {key: found[key] for key in _KEPT if found.get(key)}
    return {**{key: wanted[key] for key in _OURS if key in wanted}, **kept, "actions": _actions(found)}


def as_new(found: Json) -> Json:
    """The body by which a rule that was found is made once more."""
    whole = as_changed(found, found)
    return {**whole, **{key: found[key] for key in ("rule_type_id", "consumer", "enabled") if key in found}}


def _actions(found: Json) -> list[Json]:
    """Without what Kibana adds in its answers and refuses in a request."""
    return [{key: one[key] for key in _ACTION if key in one} for one in found.get("actions") or ()]


def _template(tree: Tree, path: str) -> tuple[str, Json]:
    read = tree.json(path)
    try:
        said = read["attributes"]
        body = {
            "name": said["name"],
            "tags": said["tags"],
            "rule_type_id": said["ruleTypeId"],
            "consumer": CONSUMER,
            "schedule": said["schedule"],
            "params": said["params"],
        }
        delay = {"alert_delay": said["alertDelay"]} if "alertDelay" in said else {}
        return str(read["id"]), {**body, **delay}
    except (KeyError, TypeError) as error:
        raise PackageError(f"{path}: no template of an alerting rule", hint="Compare with the others.") from error
