"""Rules about names: settings and keys that do not exist, belong elsewhere, or are newer than the stack."""

from __future__ import annotations

from collections.abc import Iterator

from preconfigured import schema
from preconfigured.check.against import Problem
from preconfigured.check.case import PRECONFIGURED, Case, ConnectorView
from preconfigured.check.near import nearest, right_key
from preconfigured.check.rules.rule import Hit, hit, rule
from preconfigured.check.shown import key_text, path_text
from preconfigured.version import Since

_FIRST_USE = "Kibana starts, but refuses the connector when somebody first uses it"
_NO_START = "Kibana does not start"
_ENVELOPE = schema.raw(schema.ENVELOPE)["properties"]


def _in_part(case: Case, problem: Problem) -> tuple[ConnectorView, str] | None:
    """The connector and ``config`` or ``secrets``, where the key stands directly in one of these."""
    path = problem.setting.path
    one, part = case.connector_of(path), case.part_of(path)
    return (one, part) if one and part and len(path) == len(one.setting.path) + 2 else None


@rule("unknown-setting", "error", "A setting of xpack.actions that does not exist.")
def unknown_setting(case: Case) -> Iterator[Hit]:
    """Kibana refuses to start on an unknown setting."""
    for problem in case.problems:
        if problem.kind != "unknown" or case.connector_of(problem.setting.path) is not None:
            continue
        near = problem.schema.get("x-was", {}).get(problem.name) or nearest(problem.name, problem.schema["properties"])
        fix = f"Write {near}." if near else "Remove it, or look it up in the manual of your version of Kibana."
        message = (
            "There is no such setting, and Kibana does not start." if near else "This check does not know the setting."
        )
        yield hit(problem.setting, message, fix, found=key_text(problem.name), level=None if near else "warning")


@rule("unknown-connector-key", "error", "A key beside name, actionTypeId, config, secrets and exposeConfig.")
def unknown_connector_key(case: Case) -> Iterator[Hit]:
    """Kibana refuses to start on a key that the envelope does not have."""
    for problem in case.problems:
        one = case.connector_of(problem.setting.path) if problem.kind == "unknown" else None
        if one is None or len(problem.setting.path) != len(one.setting.path) + 1:
            continue
        fix = f"Allowed here: {', '.join(_ENVELOPE)}."
        part = _part_with(one, problem.name)
        if part:
            fix = f"Move it below {part}."
        elif near := right_key(problem.name, _ENVELOPE):
            fix = f"Write {near}."
        message = "A connector has no such key, and Kibana does not start."
        yield hit(problem.setting, message, fix, found=key_text(problem.name))


@rule("unknown-key", "error", "A key of config or secrets that the connector type does not have.")
def unknown_key(case: Case) -> Iterator[Hit]:
    """The schemas of connector types are strict."""
    for problem in case.problems:
        place = _in_part(case, problem) if problem.kind == "unknown" else None
        if place is None or _other_owner(place[0], place[1], problem.name):
            continue
        one, part = place
        keys = [*problem.schema["properties"]]
        other = "secrets" if part == "config" else "config"
        near = right_key(problem.name, keys)
        fix = f"Write {near}." if near else f"Remove it. Keys of {_kind(one)}: {', '.join(keys)}."
        if _part_with(one, problem.name) == other or (not near and right_key(problem.name, _names(one, other))):
            fix = f"Move it below {other}."
        elif problem.name in _ENVELOPE:
            fix = "Move it one level up, beside name."
        found = path_text(problem.setting.path).rsplit(".", 1)[-1]
        yield hit(problem.setting, f"{_kind(one)} has no such key. {_FIRST_USE}.", fix, found=found)


@rule("other-providers-key", "error", "A key that belongs to another provider of .gen-ai.")
def other_providers_key(case: Case) -> Iterator[Hit]:
    """``organizationId`` under Other, ``verificationMode`` under OpenAI and the like."""
    for problem in case.problems:
        place = _in_part(case, problem) if problem.kind == "unknown" else None
        owner = _other_owner(place[0], place[1], problem.name) if place else None
        if place and owner:
            message = f"The key belongs to {owner}; this connector is {_kind(place[0])}. {_FIRST_USE}."
            yield hit(problem.setting, message, "Remove it, or mend apiProvider.", found=key_text(problem.name))


@rule("newer-than-stack", "error", "A key or a connector type that the stack version does not have yet.")
def newer_than_stack(case: Case) -> Iterator[Hit]:
    """Strict schemas refuse keys of later versions."""
    for problem in case.problems:
        if problem.kind == "newer":
            since = Since.parse(problem.schema["x-since"])
            strict = case.part_of(problem.setting.path)
            message = f"It came with {since}. {_FIRST_USE if strict else _NO_START}."
            lost = problem.schema.get("x-lost")
            fix = f"Remove it (then {lost}), or upgrade." if lost else "Remove it, or upgrade."
            yield hit(problem.setting, message, fix, found=f"{key_text(problem.name)} in Kibana {case.site.stack}")
    for one in case.connectors:
        if one.kind and not one.kind.since.has(case.site.stack):
            message = f"{one.kind.title} came with {one.kind.since}; Kibana {case.site.stack} refuses the connector."
            at = one.setting.get("config", "apiProvider") or one.setting.get("actionTypeId") or one.setting
            yield hit(at, message, "Upgrade the stack, or use another connector type.")


@rule("misplaced-connector", "error", "A connector that does not stand below xpack.actions.preconfigured.")
def misplaced_connector(case: Case) -> Iterator[Hit]:
    """A misspelt or missing level above it."""
    for setting in case.view.root.walk():
        if "actionTypeId" in setting.children and setting.path[:3] != PRECONFIGURED:
            below = ".".join(PRECONFIGURED)
            message = f"Kibana looks for connectors only below {below}; it refuses to start, or does not see this one."
            found = path_text(setting.path) or "actionTypeId at the top level"
            yield hit(setting, message, f"Move it to {below}.{path_text(setting.path[-1:]) or 'ID'}.", found=found)


def _names(one: ConnectorView, part: str) -> list[str]:
    return [*schema.raw(one.kind.name)["properties"][part]["properties"]] if one.kind else []


def _part_with(one: ConnectorView, name: str) -> str | None:
    return next((part for part in ("config", "secrets") if name in _names(one, part)), None)


def _other_owner(one: ConnectorView, part: str, name: str) -> str | None:
    if one.kind is None or one.kind.action_type != ".gen-ai":
        return None
    owners = [
        schema.load(other).title.split(":")[0]
        for other in schema.NAMES
        if other != one.kind.name and schema.load(other).action_type == ".gen-ai"
        if name in schema.raw(other)["properties"][part]["properties"]
    ]
    return " and ".join(owners) or None


def _kind(one: ConnectorView) -> str:
    return one.kind.title.split(":")[0] if one.kind else "the connector type"


RULES = (
    unknown_setting,
    unknown_connector_key,
    unknown_key,
    other_providers_key,
    newer_than_stack,
    misplaced_connector,
)
