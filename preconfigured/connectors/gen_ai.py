"""``.gen-ai``: any server that speaks OpenAI's API (provider Other), OpenAI itself, Azure OpenAI.

Source: elastic/kibana, kbn-connector-schemas/openai. Provider Other takes a client certificate instead of a token
or beside it; where the stack cannot, the token alone remains.
"""

from __future__ import annotations

from preconfigured import address, schema
from preconfigured.connectors.interface import ConfigValue, Connector, Pki, Rendered, Secret, Wish, assemble
from preconfigured.schema.model import Key, Schema
from preconfigured.values import check_headers, check_path, check_text
from preconfigured.version import StackVersion

OPENAI_URL = "https://api.openai.com/v1/chat/completions"
API_KEY = Secret("apiKey")


def render_other(connector: Connector, stack: StackVersion) -> Rendered:
    """Render a connector to vLLM, LM Studio or another server that speaks OpenAI's API."""
    kind = schema.load("gen-ai-other")
    place = f"connectors[{connector.id}]"
    target = address.chat(connector.url, f"{place}.url")
    secrets, notes = _secrets(connector.pki, kind.secret("certificateData"), stack, place)
    verification = connector.verification_mode or ("full" if connector.pki else None)
    config = {
        **_shared(connector, place),
        "apiProvider": "Other",
        "apiUrl": target.url,
        "verificationMode": verification,
        "enableNativeFunctionCalling": _native(connector, kind, stack),
    }
    return assemble(connector, stack, kind, Wish(config, secrets, (*_address_notes(target), *notes)))


def render_openai(connector: Connector, stack: StackVersion) -> Rendered:
    """Render a connector to OpenAI, by default at its public address."""
    place = f"connectors[{connector.id}]"
    target = address.chat(connector.url or OPENAI_URL, f"{place}.url")
    config = {
        **_shared(connector, place),
        "apiProvider": "OpenAI",
        "apiUrl": target.url,
        "organizationId": _optional(connector.organization, f"{place}.organization"),
        "projectId": _optional(connector.project, f"{place}.project"),
        "verificationMode": connector.verification_mode,
    }
    wish = Wish(config, (API_KEY,), (*_address_notes(target), *_no_pki(connector)))
    return assemble(connector, stack, schema.load("gen-ai-openai"), wish)


def render_azure(connector: Connector, stack: StackVersion) -> Rendered:
    """Render a connector to a deployment of Azure OpenAI."""
    place = f"connectors[{connector.id}]"
    config = {
        **_shared(connector, place),
        "apiProvider": "Azure OpenAI",
        "apiUrl": address.azure(connector.url, f"{place}.url").url,
        "verificationMode": connector.verification_mode,
    }
    return assemble(connector, stack, schema.load("gen-ai-azure"), Wish(config, (API_KEY,), _no_pki(connector)))


def _shared(connector: Connector, place: str) -> dict[str, ConfigValue | None]:
    return {
        "defaultModel": _optional(connector.model, f"{place}.model"),
        "headers": check_headers(connector.headers, f"{place}.headers") or None,
        "contextWindowLength": connector.context,
        "temperature": connector.temperature,
    }


def _native(connector: Connector, kind: Schema, stack: StackVersion) -> bool | None:
    """Written as false too where it is known and the config exposed: what is meant shall stand there."""
    if connector.native_function_calling:
        return True
    key = kind.config_key("enableNativeFunctionCalling")
    known = key is not None and key.since.has(stack)
    return False if known and connector.expose_config is not False else None


def _optional(value: str, place: str) -> str | None:
    return check_text(value, place) if value else None


def _secrets(pki: Pki | None, key: Key, stack: StackVersion, place: str) -> tuple[tuple[Secret, ...], tuple[str, ...]]:
    if pki is None:
        return (API_KEY,), ()
    if not key.since.has(stack):
        lost = f"the client certificate is left out (it came with {key.since}); without it {key.lost}"
        return (API_KEY,), (f"{lost}; the token alone remains",)
    files = [
        Secret("certificateData", "pem", check_path(pki.certificate, f"{place}.pki.certificate")),
        Secret("privateKeyData", "pem", check_path(pki.key, f"{place}.pki.key")),
    ]
    if pki.ca:
        files.append(Secret("caData", "pem", check_path(pki.ca, f"{place}.pki.ca")))
    if pki.token:
        return (API_KEY, *files), ()
    return tuple(files), ("the client certificate takes the place of the token: Kibana sends none",)


def _no_pki(connector: Connector) -> tuple[str, ...]:
    return ("the client certificate is left out: only provider Other takes one",) if connector.pki else ()


def _address_notes(target: address.Address) -> tuple[str, ...]:
    notes = []
    if target.completed:
        notes.append(f"the address was completed to {target.url}, because Kibana posts to it as it stands")
    if target.scheme == "http" and not target.is_loopback:
        notes.append("over http the token and every prompt cross the network in clear: use https")
    return tuple(notes)
