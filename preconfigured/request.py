"""connectors.yml: which connectors a site wants, in a file of its own, for those who have no bundle.yml.

Rules: the keys are those of ``Connector`` and ``Settings``. Unknown and repeated keys, wrong types and secrets are
refused, with the line and the nearest right key. What the values may be is decided where they are written.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preconfigured.connectors import PROVIDERS, Connector, Pki
from preconfigured.errors import KibanaYmlError, MachineError
from preconfigured.merge import tree
from preconfigured.merge.source import decode
from preconfigured.request_fields import Field, LineOf, Scalar, scalar
from preconfigured.settings import AirGap, Settings
from preconfigured.version import StackVersion

LARGEST = 1 << 20
_CONNECTOR: dict[str, Scalar] = {
    "id": "text",
    "name": "text",
    "url": "text",
    "model": "text",
    "context": "integer",
    "native_function_calling": "boolean",
    "temperature": "number",
    "expose_config": "boolean",
    "organization": "text",
    "project": "text",
    "region": "text",
    "credentials": "text",
    "inference_id": "text",
}
_SETTINGS: dict[str, Scalar] = {
    "private_ca": "text",
    "response_timeout": "text",
    "max_response_content_length": "text",
    "default_connector": "text",
    "default_only": "boolean",
    "inference_chat_model_disabled": "boolean",
}
_REQUIRED = ("id", "name", "provider")
_PKI: dict[str, Scalar] = {"certificate": "text", "key": "text", "ca": "text", "token": "boolean"}
_AIR_GAP: dict[str, Scalar] = {"registry_url": "text", "product_docs_url": "text"}


@dataclass(frozen=True, slots=True)
class Request:
    """What a site wants; ``stack`` is None where the file leaves that to the command line."""

    connectors: tuple[Connector, ...]
    settings: Settings
    stack: StackVersion | None


def read_request(path: Path) -> Request:
    """Read a connectors.yml.

    Raises:
        KibanaYmlError: it is not what it must be; with the line.
        MachineError: it cannot be read.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise MachineError(f"{path}: is no plain file", hint="Give the path of the connectors.yml.")
            data = file.read(LARGEST + 1)
    except OSError as error:
        hint = "Give the path of the connectors.yml." if error.errno == errno.ENOENT else "Look at its permissions."
        raise MachineError(f"{path}: cannot read it: {os.strerror(error.errno or 0)}", hint=hint) from error
    return parse_request(data, str(path))


def parse_request(data: bytes, where: str = "connectors.yml") -> Request:
    """Read the bytes of a connectors.yml.

    Raises:
        KibanaYmlError: they are not what they must be; with the line.
    """
    if len(data) > LARGEST:
        raise KibanaYmlError(f"{where}: expected at most {LARGEST:,} bytes, found more", hint="Is it a connectors.yml?")
    text = decode(data, where).text
    top = tree.read(text, where).top
    if top is None:
        raise KibanaYmlError(f"{where}: the file is empty", hint="Begin with: connectors:")
    lines = LineOf(text)
    found = Field(top, "", 1, where).section(("connectors",), ("stack", "settings"), lines)
    connectors = tuple(_connector(item, lines) for item in found["connectors"].items())
    settings = _settings(found["settings"], lines) if "settings" in found else Settings()
    return Request(connectors, settings, StackVersion.parse(found["stack"].text()) if "stack" in found else None)


def _connector(field: Field, lines: LineOf) -> Connector:
    field = Field(field.node, field.path, lines(field.node.start), field.where)
    others = ("headers", "pki", "verification_mode")
    found = field.section(_REQUIRED, tuple(key for key in (*_CONNECTOR, *others) if key not in _REQUIRED), lines)
    values = _scalars(found, _CONNECTOR)
    values["provider"] = found["provider"].choice(tuple(PROVIDERS))
    if "headers" in found:
        values["headers"] = {name: value.text() for name, value in found["headers"].pairs(lines).items()}
    if "pki" in found:
        pki = found["pki"].section(("certificate", "key"), ("ca", "token"), lines)
        values["pki"] = Pki(**_scalars(pki, _PKI))
    if "verification_mode" in found:
        values["verification_mode"] = found["verification_mode"].choice(("full", "certificate", "none"))
    return Connector(**values)


def _settings(field: Field, lines: LineOf) -> Settings:
    found = field.section((), (*_SETTINGS, "allowed_hosts", "air_gap"), lines)
    values = _scalars(found, _SETTINGS)
    if "allowed_hosts" in found:
        values["allowed_hosts"] = tuple(item.text() for item in found["allowed_hosts"].items())
    if "air_gap" in found:
        values["air_gap"] = AirGap(**_scalars(found["air_gap"].section((), tuple(_AIR_GAP), lines), _AIR_GAP))
    return Settings(**values)


def _scalars(found: dict[str, Field], kinds: dict[str, Scalar]) -> dict[str, Any]:
    return {key: scalar(found[key], kind) for key, kind in kinds.items() if key in found}
