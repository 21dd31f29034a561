"""Addresses of Elasticsearch and Kibana: http or https, a host, a port, a base path; and what a cloud id stands for.

Rules: an address with a user name or password is refused without being repeated, since it would stand in the list of
processes and in the shell's history. Of several nodes each has the same base path or its own.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from kibana_assets.errors import UsageError

_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._~:/\[\]@!$&'()*+,;=%-]{1,2048}", re.ASCII)
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|[0-9A-Fa-f:.]+)", re.ASCII)
_KIBANA_PATH: Final = re.compile(r"/(?:app|s|api)(?:/|$)")


@dataclass(frozen=True, slots=True)
class Address:
    """An address, checked: ``url`` always names the port, and has no slash at its end."""

    url: str
    host: str
    port: int
    secure: bool


@dataclass(frozen=True, slots=True)
class Cloud:
    """What a cloud id stands for; ``kibana`` is empty where it names none."""

    elasticsearch: str
    kibana: str


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


def server(text: str, option: str) -> Address:
    """The address of a server, checked; ``option`` names it in errors. Raises: UsageError."""
    parts = _split(text.strip(), option)
    if parts.username is not None or parts.password is not None:
        hint = "Use --user, and the password from the environment; or an API key."
        raise UsageError(f"{option}: expected an address without user name and password", hint=hint)
    if parts.scheme not in ("http", "https"):
        raise UsageError(f"{option}: expected http:// or https://, found {text[:12]!r}", hint="Name the scheme.")
    host, port, path = parts.hostname or "", _port(parts, option), parts.path.rstrip("/")
    if not _HOST.fullmatch(host):
        raise UsageError(
            f"{option}: expected a host, found {host[:80]!r}", hint="As in https://es.example.internal:9200"
        )
    if option == "--kibana" and _KIBANA_PATH.search(path):
        hint = "Leave /app/… and /s/… away (spaces are named by --space); keep only the base path, if there is one."
        raise UsageError(f"{option}: expected Kibana's address, found one with {path[:80]!r}", hint=hint)
    shown = f"[{host}]" if ":" in host else host
    return Address(f"{parts.scheme}://{shown}:{port}{path}", host, port, parts.scheme == "https")


def cloud(text: str) -> Cloud:
    """What a cloud id stands for (``NAME:BASE64`` of ``domain[:port]$elasticsearch$kibana``). Raises: UsageError."""
    name, colon, coded = text.strip().rpartition(":")
    try:
        decoded = base64.b64decode(coded, validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise _no_cloud() from error
    domain, *parts = decoded.split("$")
    if not colon or not name or not domain or not parts or not parts[0]:
        raise _no_cloud()
    domain, _, port = domain.partition(":")
    addresses = [f"https://{part.split(':')[0]}.{domain}:{port or 443}" if part else "" for part in (*parts, "")[:2]]
    return Cloud(*addresses)


def _no_cloud() -> UsageError:
    hint = "Copy it from the deployment's page, whole: NAME:c29tZXRoaW5n…"
    return UsageError("--cloud-id: expected a cloud id, found something else", hint=hint)


def _split(text: str, option: str) -> SplitResult:
    if not _CHARACTERS.fullmatch(text):
        hint = "No spaces, no '?', no '#'; a host name with other letters is written in its xn-- form."
        raise UsageError(f"{option}: expected an address of 1 to 2048 plain characters", hint=hint)
    try:
        return urlsplit(text)
    except ValueError as error:
        hint = "An IPv6 address stands in [brackets]."
        raise UsageError(f"{option}: expected an address, found one with a broken host", hint=hint) from error


def _port(parts: SplitResult, option: str) -> int:
    try:
        found = parts.port
    except ValueError as error:
        raise UsageError(f"{option}: expected a port from 1 to 65535", hint="Mend the port.") from error
    return found or (443 if parts.scheme == "https" else 80)
