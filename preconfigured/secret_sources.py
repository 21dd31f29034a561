"""How a connector's secrets reach Kibana: the keystore, an environment variable, or, when asked for, the file itself.

Rules: without ``inline`` no value of a secret is ever held here. Names of variables follow from the ids alone, so
that two machines write the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from preconfigured import schema
from preconfigured.connectors import Rendered, Secret
from preconfigured.errors import UsageError
from preconfigured.yaml_text import Entry

SecretsMode = Literal["keystore", "env", "inline"]
MODES: tuple[SecretsMode, ...] = ("keystore", "env", "inline")
# Connector id, then the secret's name.
SecretValues = Mapping[str, Mapping[str, str]]

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_FORMS = {"pem": " Its value is the PEM file in base64, in one line.", "json": " Its value is the file's text."}


def keystore_key(connector_id: str, secret: str) -> str:
    """The name under which Kibana's keystore holds a secret of a connector."""
    return f"xpack.actions.preconfigured.{connector_id}.secrets.{secret}"


def variable(connector_id: str, secret: str) -> str:
    """The environment variable for a secret: ``LLM_BUNDLE_<ID>_<SECRET>``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", secret)
    return f"LLM_BUNDLE_{connector_id}_{words}".replace("-", "_").upper()


def needed(connector: Rendered) -> tuple[Secret, ...]:
    """The secrets that somebody has to supply."""
    return tuple(secret for secret in connector.secrets if secret.form != "empty")


def secrets_entry(connector: Rendered, mode: SecretsMode, values: SecretValues) -> Entry | None:
    """The ``secrets`` of a connector, or None where the keystore holds them all.

    Raises:
        UsageError: inline secrets without their values.
    """
    empty = tuple(Entry(secret.name, ()) for secret in connector.secrets if secret.form == "empty")
    written = () if mode == "keystore" else tuple(_entry(connector, s, mode, values) for s in needed(connector))
    if not (*empty, *written):
        return None
    return Entry("secrets", (*empty, *written), "" if written else "Nothing secret: the endpoint holds its token.")


def keystore_comment(connector: Rendered) -> str:
    """The comment that stands in place of the secrets when the keystore holds them; empty where there are none."""
    secrets = needed(connector)
    if not secrets:
        return ""
    names = "\n".join(f"  {keystore_key(connector.id, secret.name)}" for secret in secrets)
    return f"No secrets here on purpose. Put into the keystore of every Kibana:\n{names}"


def _entry(connector: Rendered, secret: Secret, mode: SecretsMode, values: SecretValues) -> Entry:
    about = schema.load(connector.schema).secret(secret.name).description
    if mode == "env":
        name = variable(connector.id, secret.name)
        must = f"Kibana does not start while {name} is unset."
        return Entry(secret.name, f"${{{name}}}", f"{about}{_FORMS.get(secret.form, '')} {must}")
    value = values.get(connector.id, {}).get(secret.name)
    if not value:
        raise UsageError(
            f"secrets: expected a value for {keystore_key(connector.id, secret.name)}, found none",
            hint="Inline secrets need every value; or use the keystore, which is the safer place.",
        )
    if "${" in value or _UNFIT.search(value):
        raise UsageError(
            f"secrets: the value of {keystore_key(connector.id, secret.name)} cannot stand in kibana.yml",
            hint="It holds '${', which Kibana replaces, or control characters: use the keystore.",
        )
    return Entry(secret.name, value, f"{about} SECRET: keep this file readable for Kibana alone (mode 0600).")
