"""Reading the schema files of this folder.

Rules: each file is a plain JSON schema (2020-12) of ``{config, secrets}`` for one connector type, or for one provider
of ``.gen-ai``. Beside the standard words it uses ``x-action-type``, ``x-since`` (first stack version, one for each
major line) and ``x-lost`` (what a stack without the key does instead); ``description`` says what the key does, and is
the comment in a rendered kibana.yml. The schema for a given stack version is derived, so no fact stands twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, cast

from preconfigured.version import Since, StackVersion

NAMES = ("gen-ai-other", "gen-ai-openai", "gen-ai-azure", "bedrock", "gemini", "inference")
ENVELOPE = "envelope"
ACTIONS = "actions"
ACTION_TYPES = "action-types"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of config or secrets: its JSON type, since when it exists, what it does, what is lost without it."""

    name: str
    type: str
    required: bool
    since: Since
    description: str
    lost: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A connector type: its keys in the order in which they are written."""

    name: str
    title: str
    action_type: str
    since: Since
    config: tuple[Key, ...]
    secrets: tuple[Key, ...]

    def config_key(self, name: str) -> Key | None:
        """The key of config with that name, or None where this type has none."""
        return next((key for key in self.config if key.name == name), None)

    def secret(self, name: str) -> Key:
        """The key of secrets with that name; asking for another is a fault of the caller."""
        return next(key for key in self.secrets if key.name == name)


@cache
def load(name: str) -> Schema:
    """Read one of ``NAMES``."""
    document = raw(name)
    return Schema(
        name=name,
        title=document["title"],
        action_type=document["x-action-type"],
        since=Since.parse(document.get("x-since", ())),
        config=keys(document["properties"]["config"]),
        secrets=keys(document["properties"]["secrets"]),
    )


@cache
def envelope_key(name: str) -> Key:
    """A key that stands beside config and secrets, as ``exposeConfig``."""
    return next(key for key in keys(raw(ENVELOPE)) if key.name == name)


def keys(schema: dict[str, Any]) -> tuple[Key, ...]:
    """The properties of an object's schema as keys."""
    required = schema.get("required", ())
    return tuple(
        Key(
            name=name,
            type=value["type"],
            required=name in required,
            since=Since.parse(value.get("x-since", ())),
            description=value.get("description", ""),
            lost=value.get("x-lost", ""),
        )
        for name, value in schema["properties"].items()
    )


def json_schema(name: str, stack: StackVersion) -> dict[str, Any]:
    """The JSON schema of one of ``NAMES``, or of ``ENVELOPE``, as it holds for that stack version."""
    return cast("dict[str, Any]", _for_stack(raw(name), stack))


def _for_stack(node: Any, stack: StackVersion) -> Any:
    if isinstance(node, list):
        return [_for_stack(item, stack) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _for_stack(value, stack) for name, value in node.items() if not name.startswith("x-")}
    if isinstance(node.get("properties"), dict):
        kept["properties"] = {
            name: _for_stack(value, stack)
            for name, value in node["properties"].items()
            if Since.parse(value.get("x-since", ())).has(stack)
        }
    return kept


@cache
def raw(name: str) -> dict[str, Any]:
    """One of ``NAMES``, ``ENVELOPE``, ``ACTIONS`` or ``ACTION_TYPES`` as the file has it; not to be changed."""
    text = resources.files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))
