"""Who a server is asked as: an API key, a user with a password, a bearer token. Never from the arguments of a program.

Rules: a secret is in no repr and no message. It comes from an environment variable, a file or the system's keyring
(``keyring``); asking a person is the command line's part. Elasticsearch's variables come first; Kibana takes the same
logins, unless it has its own.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kibana_assets.errors import UsageError

KEY_VARIABLE: Final = "ELASTICSEARCH_API_KEY"
PASSWORD_VARIABLE: Final = "ELASTICSEARCH_PASSWORD"  # noqa: S105 (a name, no password)
TOKEN_VARIABLE: Final = "ELASTICSEARCH_TOKEN"  # noqa: S105
KIBANA_KEY_VARIABLE: Final = "KIBANA_API_KEY"
LONGEST: Final = 8192
"""Of a secret, in bytes."""
# What Elasticsearch shows: base64 of id:key. Also id:key itself is taken, and the whole JSON of the API's answer.
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}", re.ASCII)
_PAIR: Final = re.compile(r"[A-Za-z0-9_-]{6,}:[A-Za-z0-9_-]{6,}", re.ASCII)
_FORMS: Final = (
    "Give the key in its encoded form, as it is shown once when made, as ID:KEY, or the whole JSON of that answer."
)


@dataclass(frozen=True, slots=True)
class Login:
    """The value of the Authorization header; empty for a cluster without security."""

    authorization: str = field(default="", repr=False)


def api_key(text: str, place: str) -> Login:
    """A login by an API key: its encoded form, ``id:key``, or the JSON of the API. Raises: UsageError."""
    key = text.strip()
    if key.startswith("{"):
        key = _encoded(key, place)
    if _PAIR.fullmatch(key):
        key = base64.b64encode(key.encode()).decode()
    if not _ENCODED.fullmatch(key):
        raise UsageError(f"{place}: expected an API key, found something else", hint=_FORMS)
    return Login(f"ApiKey {key}")


def basic(user: str, password: str) -> Login:
    """A login by user name and password. Raises: UsageError for a user name with a colon, or if one is missing."""
    if not user or ":" in user or not password:
        raise UsageError(
            "--user: expected a user name without a colon, and a password",
            hint=f"The password comes from {PASSWORD_VARIABLE}, or is asked for on a terminal.",
        )
    return Login("Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


def bearer(token: str, place: str) -> Login:
    """A login by a token, such as one of a service account or of an identity provider. Raises: UsageError."""
    if not token or any(not 33 <= ord(character) <= 126 for character in token):
        raise UsageError(f"{place}: expected a token of plain characters", hint="Only the token, without 'Bearer'.")
    return Login(f"Bearer {token}")


def from_environment(environment: Mapping[str, str]) -> Login:
    """The API key or the token that a variable holds, or no login at all. Raises: UsageError."""
    if environment.get(KEY_VARIABLE):
        return api_key(environment[KEY_VARIABLE], KEY_VARIABLE)
    if environment.get(TOKEN_VARIABLE):
        return bearer(environment[TOKEN_VARIABLE], TOKEN_VARIABLE)
    return Login()


def for_kibana(environment: Mapping[str, str], otherwise: Login) -> Login:
    """The key in KIBANA_API_KEY, or the login that Elasticsearch gets. Raises: UsageError."""
    found = environment.get(KIBANA_KEY_VARIABLE, "")
    return api_key(found, KIBANA_KEY_VARIABLE) if found else otherwise


def secret_of(path: Path, option: str) -> str:
    """The text of a small file with a key or a token, without the blanks around it. Raises: UsageError."""
    data = _read(path, option)
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not text or len(data) > LONGEST:
        raise UsageError(
            f"{option} {path}: expected one line of plain characters",
            hint="The secret alone: no name before it, no byte order mark.",
        )
    return text


def password_of(path: Path, option: str) -> str:
    """The one line of a small file, blanks at its ends included. Raises: UsageError."""
    return one_line(_read(path, option), f"{option} {path}", "Only the password, on one line.")


def one_line(data: bytes, place: str, hint: str) -> str:
    """A secret without the line break at its end. Raises: UsageError for none, more lines, or no text."""
    try:
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or not text or len(data) > LONGEST:
        raise UsageError(f"{place}: expected one line of text", hint=hint)
    return text


def _read(path: Path, option: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LONGEST + 1)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise UsageError(f"{option} {path}: {reason}", hint="Name a file that you can read.") from error


def _encoded(text: str, place: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    encoded = found.get("encoded") if isinstance(found, dict) else None
    if not isinstance(encoded, str):
        raise UsageError(f"{place}: expected JSON with the key 'encoded'", hint=_FORMS)
    return encoded
