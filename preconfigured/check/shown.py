"""How settings and their values are shown in findings: never with a secret in them.

Rules: a value is hidden where its path says secret, or where it looks like one itself. Of an address only scheme, host
and path are shown. Of a key below ``secrets`` only a name that some connector type has is shown, because a token may
have slipped into the place of a key.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from preconfigured import schema
from preconfigured.check.tree import Scalar
from preconfigured.check.view import Setting

HIDDEN = "(hidden)"
UNKNOWN = "…"
_LONGEST = 80
_SECRET_NAME = re.compile(
    "secret|api[-_]?key|token|passw|credential|authorization|cookie|privatekey|certificatedata|cadata|accesskey"
    "|encryptionkey|headers",
    re.IGNORECASE,
)
_TOKEN_LIKE = re.compile(r"(sk|pk|hf|ghp|xox[bp]|AKIA)[-_A-Za-z0-9]{8,}|(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_+=-]{30,}")
_TOKEN_INSIDE = re.compile(r"Bearer\s|-----BEGIN|\bsk-[A-Za-z0-9]", re.IGNORECASE)
_DEFAULT = re.compile(r"\$\{[^}]*\}?")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?:[^/?#]*@)?(?P<rest>[^?#]*).*", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SECRET_KEYS = frozenset(key.name for name in schema.NAMES for key in schema.load(name).secrets) | {
    "user", "password", "token", "apiToken", "webhookUrl", "routingKey", "clientSecret", "secretHeaders", "crt", "key",
}  # fmt: skip


def path_text(path: tuple[str, ...]) -> str:
    """A path in dots, as it may be shown."""
    shown: list[str] = []
    for index, part in enumerate(path):
        if index > 4 and path[:3] == ("xpack", "actions", "preconfigured") and "secrets" in path[4:index]:
            if part not in _SECRET_KEYS and not get_close_matches(part[:40], _SECRET_KEYS, 1, 0.75):
                return ".".join((*shown, UNKNOWN))
            return ".".join((*shown, part))
        shown.append(key_text(part))
    return ".".join(shown)


def key_text(key: str) -> str:
    """One part of a path, as it may be shown."""
    if looks_secret(key):
        return UNKNOWN
    text = _CONTROL.sub("?", key[:_LONGEST])
    return f"[{text}]" if "." in text else text


def found_text(setting: Setting) -> str:
    """What a setting holds, as it may be shown: a scalar, or what kind of thing it is."""
    if setting.is_section:
        return "a mapping"
    if not isinstance(setting.value, Scalar):
        return "a list"
    return scalar_text(setting.value, setting.path)


def scalar_text(value: Scalar, path: tuple[str, ...]) -> str:
    """A scalar at that path, as it may be shown; text stands in quotes."""
    if value.kind == "null":
        return "nothing"
    if is_secret(path) or looks_secret(value.text):
        return HIDDEN if value.kind == "text" else f"{HIDDEN}, {_KINDS[value.kind]}"
    return f'"{plain_text(value.text)}"' if value.kind == "text" else value.text[:_LONGEST]


def plain_text(text: str) -> str:
    """A text without what may be secret in an address or in the default of a variable."""
    text = _DEFAULT.sub(_variable, text[: _LONGEST * 4])
    match = _URL.fullmatch(text)
    if match:
        text = match["scheme"] + match["rest"]
    elif "@" in text:
        # An address without its scheme has its password here.
        text = UNKNOWN + text[text.rindex("@") :]
    text = _CONTROL.sub("?", text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def is_secret(path: tuple[str, ...]) -> bool:
    """Whether the names on the way to a value say that it is secret."""
    names = path[:3] + path[4:] if path[:3] == ("xpack", "actions", "preconfigured") else path
    return any(_SECRET_NAME.search(name) for name in names)


def looks_secret(text: str) -> bool:
    """Whether a text itself looks like a token or a key."""
    return bool(_TOKEN_LIKE.fullmatch(text) or _TOKEN_INSIDE.search(text))


def _variable(match: re.Match[str]) -> str:
    inside = match[0][2:].rstrip("}")
    name, colon, _ = inside.partition(":")
    return "${" + (name if re.fullmatch(r"\w{1,60}", name, re.ASCII) else UNKNOWN) + (":…" if colon else "") + "}"


_KINDS = {"integer": "a number", "number": "a number", "boolean": "true or false"}
