"""What a rule is given: the file as text, tree and settings, the connectors in it, and what is known of the site.

Rules: a connector is found also where its id has dots, so that one defect does not hide the others. Where the type or
the provider is misspelt, the nearest one is assumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from preconfigured import schema
from preconfigured.check.against import Problem, problems
from preconfigured.check.near import nearest
from preconfigured.check.tree import Document
from preconfigured.check.view import Setting, View
from preconfigured.schema import Schema
from preconfigured.version import StackVersion

PRECONFIGURED = ("xpack", "actions", "preconfigured")
_ENVELOPE = frozenset(schema.raw(schema.ENVELOPE)["properties"])
_PROVIDERS = {"Other": "gen-ai-other", "OpenAI": "gen-ai-openai", "Azure OpenAI": "gen-ai-azure"}
# What people write for a server of their own, and for Azure.
_MEANT = {"vllm": "Other", "lmstudio": "Other", "openaicompatible": "Other", "azure": "Azure OpenAI"}


@dataclass(frozen=True, slots=True)
class Site:
    """What is known beside the file; None for ``keystore`` means that nobody knows what is in it."""

    stack: StackVersion
    keystore: frozenset[str] | None = None
    private_hosts: frozenset[str] = frozenset()
    tool_calling: frozenset[str] = frozenset()
    on_host: bool = False


@dataclass(frozen=True, slots=True)
class ConnectorView:
    """A connector in the file. ``kind`` is its schema, None for types that are not described here."""

    id: str
    setting: Setting
    kind: Schema | None

    @property
    def config(self) -> Setting | None:
        """Its config, where that is a mapping."""
        found = self.setting.get("config")
        return found if found and found.is_section else None

    @property
    def secrets(self) -> Setting | None:
        """Its secrets, where they are a mapping."""
        found = self.setting.get("secrets")
        return found if found and found.is_section else None

    def of(self, *path: str) -> str | None:
        """The text of a setting below it; None where it is missing or no text."""
        found = self.setting.get(*path)
        return found.text if found else None

    def is_true(self, *path: str) -> bool:
        """Whether a setting below it is true."""
        found = self.setting.get(*path)
        value = found.value if found else None
        return str(getattr(value, "text", "")).lower() == "true"


@dataclass(frozen=True, slots=True)
class Case:
    """One file to be checked."""

    document: Document
    view: View
    connectors: tuple[ConnectorView, ...]
    problems: tuple[Problem, ...]
    site: Site

    @property
    def actions(self) -> Setting | None:
        """``xpack.actions``, where it is a mapping."""
        found = self.view.root.get("xpack", "actions")
        return found if found and found.is_section else None

    def setting(self, *path: str) -> Setting | None:
        """A setting by its full path."""
        return self.view.root.get(*path)

    def connector_of(self, path: tuple[str, ...]) -> ConnectorView | None:
        """The connector that a path leads to or into; of two, one inside the other, the inner."""
        found = [one for one in self.connectors if path[: len(one.setting.path)] == one.setting.path]
        return max(found, key=lambda one: len(one.setting.path), default=None)

    def part_of(self, path: tuple[str, ...]) -> str:
        """``config`` or ``secrets`` where a path leads into that part of a connector; else empty."""
        one = self.connector_of(path)
        rest = path[len(one.setting.path) :] if one else ()
        return rest[0] if len(rest) > 1 and rest[0] in {"config", "secrets"} else ""


def case_of(document: Document, view: View, site: Site) -> Case:
    """Put a case together."""
    top = view.root.get(*PRECONFIGURED)
    found = tuple(ConnectorView(name, at, _kind(at)) for name, at in _connectors(top)) if top else ()
    return Case(document, view, found, tuple(_problems(view.root, found, site.stack)), site)


def providers() -> tuple[str, ...]:
    """The values of apiProvider."""
    return tuple(_PROVIDERS)


def provider_meant(text: str) -> str | None:
    """The value of apiProvider that is meant by another one."""
    plain = "".join(character for character in text.lower() if character.isalnum())
    return _MEANT.get(plain) or nearest(text, _PROVIDERS)


def action_type_meant(text: str) -> str | None:
    """The connector type that is meant by another one."""
    data = schema.raw(schema.ACTION_TYPES)
    renamed: str | None = data["x-was"].get(text.lower())
    return renamed or nearest(text, data["types"])


def _connectors(top: Setting) -> Iterator[tuple[str, Setting]]:
    for name, child in top.children.items():
        yield from _connector(name, child)


def _connector(name: str, setting: Setting) -> Iterator[tuple[str, Setting]]:
    inner = [
        (key, child)
        for key, child in setting.children.items()
        if key not in _ENVELOPE and any(_ENVELOPE & set(at.children) for at in child.walk() if at.is_section)
    ]
    if not inner or _ENVELOPE & set(setting.children):
        yield name, setting
    for key, child in inner:
        yield from _connector(f"{name}.{key}", child)


def _kind(setting: Setting) -> Schema | None:
    type_ = setting.get("actionTypeId")
    written = type_.text if type_ else None
    if written is None:
        return None
    known = schema.raw(schema.ACTION_TYPES)["types"]
    meant = written if written in known else action_type_meant(written)
    if meant == ".gen-ai":
        provider = setting.get("config", "apiProvider")
        text = (provider.text if provider else None) or "Other"
        return schema.load(_PROVIDERS[provider_meant(text) or "Other"])
    return next((one for one in map(schema.load, schema.NAMES) if one.action_type == meant), None)


def _problems(root: Setting, connectors: tuple[ConnectorView, ...], stack: StackVersion) -> Iterator[Problem]:
    actions = root.get("xpack", "actions")
    if actions is not None:
        yield from problems(actions, schema.raw(schema.ACTIONS), stack, lenient=True)
    dotted = {part for one in connectors for part in _stems(one.setting.path)}
    for one in connectors:
        for problem in problems(one.setting, schema.raw(schema.ENVELOPE), stack, lenient=True):
            if problem.kind != "unknown" or problem.setting.path not in dotted:
                yield problem
        for part in (one.config, one.secrets):
            if part is not None and one.kind is not None:
                rules = schema.raw(one.kind.name)["properties"][part.name]
                yield from problems(part, rules, stack, lenient=False)


def _stems(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    # The sections between preconfigured and a connector whose id was split at its dots.
    yield from (path[:length] for length in range(len(PRECONFIGURED) + 2, len(path) + 1))
