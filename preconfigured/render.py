"""Connectors and settings → a commented piece of kibana.yml.

Rules: the same request gives the same bytes. Every key has a comment that says what it does; what was left out for
the stack version is said in a comment at its place and in the notes. Secrets stand in the text only when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from preconfigured import schema
from preconfigured.connectors import Connector, Note, Rendered, render_connector
from preconfigured.connectors.interface import ConfigValue
from preconfigured.errors import ConnectorError, UsageError
from preconfigured.schema.model import envelope_key
from preconfigured.secret_sources import (
    MODES,
    SecretsMode,
    SecretValues,
    keystore_comment,
    needed,
    secrets_entry,
)
from preconfigured.settings import Around, Settings, around
from preconfigured.version import StackVersion
from preconfigured.yaml_text import Entry, Value, comment, mapping

HEAD = """\
Connectors to large language models, for Kibana {stack}. Put this into kibana.yml of every Kibana, \
and restart each.

The connectors below are in every space at once: a preconfigured connector is no saved object, so it belongs to no \
space. Nobody can edit or delete it in the user interface; this file is the one place to change it.

Kibana does not check config and secrets when it starts. A wrong key shows only when somebody first uses the \
connector, so change names and values with care."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of kibana.yml. Where ``holds_secrets`` is true the text belongs into a file of mode 0600 only."""

    text: str = field(repr=False)
    notes: tuple[Note, ...]
    holds_secrets: bool = False


def render_all(connectors: Sequence[Connector], stack: StackVersion) -> tuple[Rendered, ...]:
    """Render connectors for one stack version.

    Raises:
        ConnectorError: there is none, two share an id, or one cannot be written as meant.
    """
    if not connectors:
        raise ConnectorError("connectors: expected at least one, found none", hint="Name a connector.")
    seen: set[str] = set()
    for connector in connectors:
        if connector.id in seen:
            raise ConnectorError(
                f"connectors[{connector.id}].id: expected ids that differ, found this one twice",
                hint="Kibana would silently take the last of the two.",
            )
        seen.add(connector.id)
    return tuple(render_connector(connector, stack) for connector in connectors)


def snippet(
    connectors: Sequence[Connector],
    settings: Settings,
    *,
    stack: StackVersion,
    secrets: SecretsMode = "keystore",
    values: SecretValues | None = None,
) -> Snippet:
    """Write the piece of kibana.yml for these connectors: UTF-8 text that ends in a line break.

    ``values`` (connector id → secret's name → value) is for ``secrets="inline"`` only.

    Raises:
        ConnectorError: something that Kibana would refuse or read otherwise.
        UsageError: values without ``inline``, or ``inline`` without values.
    """
    if secrets not in MODES:
        raise UsageError(f"secrets: expected one of {', '.join(MODES)}", hint="The keystore is the usual place.")
    if values and secrets != "inline":
        raise UsageError(
            "secrets: values were given, but they are to stand outside the file",
            hint='Leave the values out, or ask for "inline".',
        )
    rendered = render_all(connectors, stack)
    surroundings = around(settings, rendered, stack)
    text = "\n".join(_lines(rendered, surroundings, stack, secrets, values or {})) + "\n"
    inline = secrets == "inline" and any(needed(connector) for connector in rendered)
    notes = (*(note for connector in rendered for note in connector.notes), *surroundings.notes)
    return Snippet(text, notes, holds_secrets=inline)


def _lines(
    rendered: Sequence[Rendered], around_: Around, stack: StackVersion, mode: SecretsMode, values: SecretValues
) -> Iterator[str]:
    yield from comment(HEAD.format(stack=stack))
    yield ""
    yield "xpack.actions.preconfigured:"
    for connector in rendered:
        yield from connector_lines(connector, connector.id, mode, values, 2)
    for entry in around_.entries:
        yield ""
        yield from mapping([entry])
    if around_.notes:
        yield ""
    for note in around_.notes:
        yield from comment(f"Note: {note}")


def connector_lines(
    connector: Rendered, key: str, mode: SecretsMode, values: SecretValues, indent: int
) -> Iterator[str]:
    """The lines of one connector, below ``key`` at that indentation."""
    entries = connector_entries(connector, mode, values)
    yield from mapping([Entry(key, entries, "", _notes(connector))], indent)
    if mode == "keystore" and (text := keystore_comment(connector)):
        yield from comment(text, indent + 2)


def connector_entries(connector: Rendered, mode: SecretsMode, values: SecretValues) -> tuple[Entry, ...]:
    """What stands below the connector's id."""
    kind = schema.load(connector.schema)
    expose = envelope_key("exposeConfig")
    config = tuple(
        Entry(key.name, _value(connector.config[key.name]), key.description)
        for key in kind.config
        if key.name in connector.config
    )
    secrets = secrets_entry(connector, mode, values)
    return (
        Entry("name", connector.name, envelope_key("name").description),
        Entry("actionTypeId", connector.action_type),
        *((Entry("exposeConfig", True, expose.description),) if connector.expose_config else ()),
        Entry("config", config),
        *((secrets,) if secrets else ()),
    )


def _notes(connector: Rendered) -> tuple[str, ...]:
    prefix = connector.place
    return tuple(
        f"{note.place.removeprefix(prefix).lstrip('.')}: {note.text}".removeprefix(": ") for note in connector.notes
    )


def _value(value: ConfigValue) -> Value:
    if isinstance(value, (str, bool, int, float)):
        return value
    return tuple(Entry(name, text) for name, text in value.items())
