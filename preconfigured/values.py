"""What single values of a connector may be, so that Kibana reads what was meant.

Rules, from Kibana's way with kibana.yml: dots split keys, also those of connector ids and of headers; ``${NAME}`` in
any text is replaced by an environment variable, and an unset one stops Kibana from starting; ids ``__proto__`` and
``constructor`` are refused. A setting of the keystore is set by path, where a part that is all digits would make a
list, so an id needs a letter. A value that may be a secret is never repeated in a message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from preconfigured.errors import ConnectorError

MAX_TEXT = 1024
_ID = re.compile(r"(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+^_`|~-]+", re.ASCII)
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "api-key", "x-api-key"})
_RESERVED = frozenset({"__proto__", "constructor", "prototype"})


def check_id(value: str) -> str:
    """Return an id of a connector, checked: lower-case letters, digits and hyphens, at least one letter.

    Raises:
        ConnectorError: it is not.
    """
    if not _ID.fullmatch(value) or value in _RESERVED:
        raise ConnectorError(
            f"connectors[].id: expected 1 to 63 of a-z, 0-9 and '-' with at least one letter, found {value[:80]!r}",
            hint="Kibana splits an id at its dots and sets keystore values by path; write for example vllm-mistral.",
        )
    return value


def check_text(value: str, place: str, *, limit: int = MAX_TEXT) -> str:
    """Return a text of at most ``limit`` characters without control characters and without ``${``.

    Raises:
        ConnectorError: it is empty, too long, or holds what Kibana would read otherwise.
    """
    if not value.strip():
        raise ConnectorError(f"{place}: expected a text, found none", hint="Give it a value.")
    if len(value) > limit:
        raise ConnectorError(f"{place}: expected at most {limit} characters, found {len(value)}", hint="Shorten it.")
    bad = next((c for c in value if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp", "Cn"}), None)
    if bad is not None:
        raise ConnectorError(
            f"{place}: expected printable characters, found U+{ord(bad):04X}", hint="Take that character out."
        )
    if "${" in value:
        raise ConnectorError(
            f"{place}: expected no '${{', because Kibana replaces ${{NAME}} by an environment variable",
            hint="Write the text without it; an unset variable would stop Kibana from starting.",
        )
    return value


def check_headers(headers: Mapping[str, str], place: str) -> dict[str, str]:
    """Return request headers, checked: HTTP's own rules, no dots in names, and nothing that is a secret by its name.

    Raises:
        ConnectorError: a header that cannot stand in kibana.yml, or must not.
    """
    return {check_header_name(name, place): check_text(value, f"{place}.{name}") for name, value in headers.items()}


def check_header_name(name: str, place: str) -> str:
    """Return a header's name, checked.

    Raises:
        ConnectorError: it is no HTTP token, has a dot, or names a header that carries a secret.
    """
    if not _TOKEN.fullmatch(name) or len(name) > 128 or name.lower() in _RESERVED:
        raise ConnectorError(
            f"{place}: expected a header name without dots, found {name[:80]!r}",
            hint="Kibana splits keys at dots, also inside headers; use letters, digits and hyphens.",
        )
    if name.lower() in _SECRET_HEADERS:
        raise ConnectorError(
            f"{place}.{name}: expected no header that carries a secret",
            hint="Kibana sends the apiKey as 'Authorization: Bearer' itself; headers are shown in clear.",
        )
    return name


def check_path(value: str, place: str) -> str:
    """Return an absolute path of a file on a Kibana host, checked as text.

    Raises:
        ConnectorError: it is not absolute.
    """
    if not check_text(value, place).startswith("/"):
        raise ConnectorError(
            f"{place}: expected an absolute path, found {value[:80]!r}",
            hint="Kibana resolves relative paths from its own folder; write the whole path on the Kibana host.",
        )
    return value
