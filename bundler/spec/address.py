"""Addresses of downloads. Rules: https, or http where ``registries:`` says so; no secret in them, for they are
written into lock and bundle, and a signed address would have expired by the time of the next build."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bundler.digest import Digest
from bundler.spec.fields import SECRETS, Field
from bundler.spec.model import RegistryAccess
from bundler.spec.reference import REGISTRY

_SIGNED = re.compile(
    r"sig|signature|token|access_?token|api_?key|key|password|auth|expires|policy|x-(amz|goog)-.*",
    re.IGNORECASE,
)
_ALLOWED = re.compile(r"[!-~]+")
_SHA256 = re.compile("(?:sha256:)?([0-9a-fA-F]{64})")


def read_url(field: Field, registries: Mapping[str, RegistryAccess]) -> str:
    """An address to download from. Raises: SpecError that never shows userinfo or query."""
    text = field.matching(_ALLOWED, "an https address without spaces", hint="percent-encode other characters")
    parts = _split(field, text)
    if parts.scheme not in ("https", "http") or not REGISTRY.fullmatch(parts.netloc.rpartition("@")[2]):
        raise field.expected("an address as in https://host/path")
    if "@" in parts.netloc:
        raise field.error("the address holds a user name or password", hint=SECRETS)
    if any(_SIGNED.fullmatch(key) for key, _ in parse_qsl(parts.query, keep_blank_values=True)):
        hint = "give an address that works without them; a signed one expires"
        raise field.error("the address holds a signature or a token in its query", hint=hint)
    if parts.fragment:
        raise field.error("the address has a fragment (#…)", hint="remove it; no server ever sees it")
    access = registries.get(parts.netloc)
    if parts.scheme == "http" and not (access and access.plain_http):
        hint = f"or allow plain HTTP: registries: {{{parts.netloc}: {{plain_http: true}}}}"
        raise field.expected("an https address", hint=hint)
    return text


def _split(field: Field, text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # read here, because only reading it refuses a port above 65535
    except ValueError as error:
        raise field.expected("an address as in https://host/path") from error
    return parts


def last_part(url: str) -> str:
    """The file name at the end of ``url``, percent-decoded; empty where there is none."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def read_sha256(field: Field) -> Digest:
    """A SHA-256 digest, with or without ``sha256:``. Raises: SpecError."""
    hint = "sha256sum FILE prints it; unquoted digits alone are a number to YAML, so put quotes around it"
    found = _SHA256.fullmatch(field.matching(_SHA256, "64 hexadecimal digits (SHA-256)", hint=hint))
    assert found
    return Digest(found[1].lower())
