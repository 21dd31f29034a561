"""Who Kibana is asked as: an API key, or a user with a password. Never from the command line's arguments.

Rules: a secret is in no repr and no message. It comes from an environment variable or a file; asking a person is the
command line's part.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from preconfigured.errors import UsageError

KEY_VARIABLE = "KIBANA_API_KEY"
PASSWORD_VARIABLE = "KIBANA_PASSWORD"  # noqa: S105 (a name, no password)
_LONGEST = 8192
# What "Create API key" shows: base64 of id:key. Also id:key itself is taken, and the whole JSON of the API's answer.
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}", re.ASCII)
_PAIR = re.compile(r"[A-Za-z0-9_-]{6,}:[A-Za-z0-9_-]{6,}", re.ASCII)
_FORMS = "Give the key in its encoded form, as Kibana shows it once under Stack Management > API keys."


@dataclass(frozen=True, slots=True)
class Login:
    """The value of the Authorization header, empty for a Kibana without security; ``secrets`` must never be shown."""

    authorization: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


def api_key(text: str, place: str) -> Login:
    """A login by an API key: its encoded form, ``id:key``, or the JSON that the API answered with.

    Raises:
        UsageError: it is none of these.
    """
    key = text.strip()
    if key.startswith("{"):
        key = _encoded(key, place)
    if _PAIR.fullmatch(key):
        key = base64.b64encode(key.encode()).decode()
    if not _ENCODED.fullmatch(key):
        raise UsageError(f"{place}: expected an API key of Kibana, found something else", hint=_FORMS)
    return Login(f"ApiKey {key}", (text.strip(), key))


def basic(user: str, password: str) -> Login:
    """A login by user name and password.

    Raises:
        UsageError: the user name has a colon, or something is missing.
    """
    if not user or ":" in user or not password:
        raise UsageError(
            "--user: expected a user name without a colon, and a password",
            hint=f"The password comes from {PASSWORD_VARIABLE}, or is asked for on a terminal.",
        )
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Login(f"Basic {coded}", (password, coded))


def from_environment(environment: Mapping[str, str]) -> Login:
    """The API key in KIBANA_API_KEY, or no login at all.

    Raises:
        UsageError: the variable holds no API key.
    """
    found = environment.get(KEY_VARIABLE, "")
    return api_key(found, KEY_VARIABLE) if found else Login()


def from_file(path: Path) -> Login:
    """The API key in a file.

    Raises:
        UsageError: the file cannot be read, or holds no API key.
    """
    return api_key(secret_of(path, "--api-key-file"), str(path))


def secret_of(path: Path, option: str) -> str:
    """The text of a small file that holds a secret, without the line break at its end.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
        text = data.decode("ascii").strip()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise UsageError(f"{option} {path}: {reason}", hint="Name a file that you can read.") from error
    except UnicodeDecodeError:
        text = ""
    if not text or len(data) > _LONGEST or any(not 33 <= ord(c) <= 126 for c in text if not text.startswith("{")):
        raise UsageError(f"{option} {path}: expected one line of plain characters", hint="Only the secret, no name.")
    return text


def _encoded(text: str, place: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    encoded = found.get("encoded") if isinstance(found, dict) else None
    if not isinstance(encoded, str):
        raise UsageError(f"{place}: expected JSON with the key 'encoded'", hint=_FORMS)
    return encoded
