"""The values of secrets for the one form that holds them, ``inline``: from the environment, from files, or typed.

Rules: a value comes from the variable ``LLM_BUNDLE_<ID>_<SECRET>``, from the file that ``…_FILE`` names, from the file
of the connector itself (client certificates, key files), or from whoever is asked; never from the command line. It
appears in no message.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from preconfigured.connectors import Rendered, Secret
from preconfigured.errors import MachineError, UsageError
from preconfigured.secret_sources import needed, variable

LARGEST = 1 << 16


def secret_values(
    connectors: Sequence[Rendered], environment: Mapping[str, str], ask: Callable[[str], str] | None = None
) -> dict[str, dict[str, str]]:
    """Connector id → secret's name → value. ``ask`` gets a question and returns what was typed unseen.

    Raises:
        UsageError: a value is nowhere to be had.
        MachineError: a file cannot be read.
    """
    return {
        connector.id: {secret.name: _value(connector.id, secret, environment, ask) for secret in needed(connector)}
        for connector in connectors
    }


def _value(connector_id: str, secret: Secret, environment: Mapping[str, str], ask: Callable[[str], str] | None) -> str:
    name = variable(connector_id, secret.name)
    if environment.get(name):
        return environment[name]
    path = environment.get(f"{name}_FILE") or secret.path
    if path:
        data = _read(Path(path))
        return base64.b64encode(data).decode() if secret.form == "pem" else _text(data, path)
    typed = ask(f"{secret.name} of {connector_id}") if ask else ""
    if not typed:
        raise UsageError(
            f"secrets: expected a value for {secret.name} of {connector_id}, found none",
            hint=f"Set {name}, or {name}_FILE to the path of a file that holds it.",
        )
    return typed


def _text(data: bytes, path: str) -> str:
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: expected text in UTF-8", hint="Is it the right file?") from error


def _read(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise MachineError(f"{path}: cannot read it: {reason}", hint="It was to hold a secret.") from error
    if len(data) > LARGEST:
        raise MachineError(f"{path}: expected at most {LARGEST:,} bytes, found more", hint="It was to hold a secret.")
    return data
