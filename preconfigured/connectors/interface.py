"""What every connector type takes and gives: one request, one result, and the rules that all of them share.

Rules: a connector type says which keys it wants and where the secrets come from; the schema says which of them the
stack version has. A key that was asked for and cannot be written is never dropped in silence: a note says what is
lost. Secrets are only named here, their values never pass through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from preconfigured.errors import ConnectorError
from preconfigured.schema.model import Key, Schema, envelope_key
from preconfigured.version import StackVersion

Verification = Literal["full", "certificate", "none"]
ConfigValue: TypeAlias = "str | int | float | bool | Mapping[str, str]"
SecretForm = Literal["text", "pem", "json", "empty"]

# Elastic's Observability AI Assistant wants at least this many tokens.
MIN_CONTEXT = 64_000


@dataclass(frozen=True, slots=True)
class Pki:
    """A client certificate. The paths are those of PEM files on the machine where the keystore is filled.

    ``token`` says that the server wants its token as well.
    """

    certificate: str
    key: str
    ca: str | None = None
    token: bool = False


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector as it is wished for; what a provider does not use is left at its default.

    ``context`` is in tokens. ``native_function_calling`` says that the server was set up for tool calls.
    ``expose_config`` None means: wherever it does good. ``credentials`` is the path of Vertex AI's key file.
    """

    id: str
    name: str
    provider: str
    url: str = ""
    model: str = ""
    context: int | None = None
    native_function_calling: bool = False
    temperature: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    pki: Pki | None = None
    verification_mode: Verification | None = None
    expose_config: bool | None = None
    organization: str = ""
    project: str = ""
    region: str = ""
    credentials: str = ""
    inference_id: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that the connector needs: its key, its form, and for a file where that lies."""

    name: str
    form: SecretForm = "text"
    path: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the user should know: the place in kibana.yml, and the sentence."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A connector as it stands in kibana.yml for one stack version, without the values of its secrets."""

    id: str
    name: str
    provider: str
    schema: str
    action_type: str
    expose_config: bool
    config: Mapping[str, ConfigValue]
    secrets: tuple[Secret, ...]
    notes: tuple[Note, ...]

    @property
    def place(self) -> str:
        """Where it stands in kibana.yml."""
        return f"xpack.actions.preconfigured.{self.id}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a connector type wants to write: None stands for a key that was not asked for."""

    config: Mapping[str, ConfigValue | None]
    secrets: tuple[Secret, ...]
    notes: tuple[str, ...] = ()


def assemble(connector: Connector, stack: StackVersion, schema: Schema, wish: Wish) -> Rendered:
    """Keep of a wish what the stack version has, and note the rest.

    Raises:
        ConnectorError: the stack has no such connector type, or a key that must be there is missing.
    """
    place = f"xpack.actions.preconfigured.{connector.id}"
    if not schema.since.has(stack):
        raise ConnectorError(
            f"connectors[{connector.id}].provider: Kibana {stack} has no {schema.title}",
            hint=f"It came with {schema.since}. Upgrade the stack, or choose another provider.",
        )
    notes = [Note(place, text) for text in wish.notes]
    config: dict[str, ConfigValue] = {}
    for key in schema.config:
        value = wish.config.get(key.name)
        if value is None or value == "":
            _require(key, connector)
        elif key.since.has(stack):
            config[key.name] = value
        else:
            notes.append(Note(f"{place}.config.{key.name}", left_out(key, stack)))
    for name in wish.config:
        if schema.config_key(name) is None and wish.config[name]:
            notes.append(Note(f"{place}.config.{name}", f"left out: {schema.title} has no such key"))
    expose, why = exposure(connector, stack, schema, config)
    if why:
        notes.append(Note(f"{place}.exposeConfig", why))
    notes.extend(_context_notes(place, config, expose=expose))
    return Rendered(
        id=connector.id,
        name=connector.name,
        provider=connector.provider,
        schema=schema.name,
        action_type=schema.action_type,
        expose_config=expose,
        config=config,
        secrets=wish.secrets,
        notes=tuple(notes),
    )


def left_out(key: Key, stack: StackVersion) -> str:
    """The sentence for a key that is newer than the stack."""
    return f"left out, because Kibana {stack} does not have it (it came with {key.since}); without it {key.lost}"


def exposure(
    connector: Connector, stack: StackVersion, schema: Schema, config: Mapping[str, ConfigValue]
) -> tuple[bool, str]:
    """Whether ``exposeConfig: true`` is written, and what is to be said about it.

    With provider Other, Kibana goes over to tools described in the prompt as soon as it can see the config without
    ``enableNativeFunctionCalling: true``, and servers set up for tool calls answer that with errors. So for such a
    server the two are written together or not at all, unless ``expose_config`` says otherwise.
    """
    key = envelope_key("exposeConfig")
    if connector.expose_config is False:
        return False, ""
    if not key.since.has(stack):
        return False, left_out(key, stack)
    native = schema.config_key("enableNativeFunctionCalling")
    if not connector.native_function_calling or native is None or native.name in config:
        return True, ""
    if connector.expose_config:
        return True, (
            f"written because it was asked for, though Kibana {stack} lacks {native.name}: it now describes tools in "
            "the prompt, which servers set up for tool calls are reported to refuse (500, Missing name for tool use)"
        )
    return False, (
        f"left out on purpose: Kibana {stack} lacks {native.name}, and with the config in view it would describe tools "
        f"in the prompt instead of calling them; without it {key.lost}"
    )


def _require(key: Key, connector: Connector) -> None:
    if key.required:
        raise ConnectorError(
            f"connectors[{connector.id}]: expected a value for {key.name}, found none",
            hint=f"{key.description} The provider {connector.provider} cannot do without it.",
        )


def _context_notes(place: str, config: Mapping[str, ConfigValue], *, expose: bool) -> list[Note]:
    context = config.get("contextWindowLength")
    if not isinstance(context, int):
        return []
    found = []
    if not expose:
        found.append("has no effect, because Kibana reads it only where exposeConfig is true")
    if context < MIN_CONTEXT:
        found.append(f"{context} tokens are too few for the Observability AI Assistant, which needs {MIN_CONTEXT}")
    return [Note(f"{place}.config.contextWindowLength", text) for text in found]
