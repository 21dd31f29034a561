r"""The files with secrets that the configuration includes, as texts. They are for mode 0600, and for nothing else.

Rules: the scheme is not case-sensitive (RFC 9110, 11.1), the token is; nothing may stand before or behind it. ``map``
would compare a plain string without regard to case, so every token is a regular expression. A token that ends bears
its end in the configuration: Nginx itself refuses it from that second on, whether or not anybody reloads it. Nginx
tries regular expressions one after another, so a token is looked for among those of the same first character only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bundler.errors import UsageError

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")
_ID = re.compile(r"[0-9a-f]{8}")
# The seconds since 1970 have ten digits from 2001 to 2286.
_EPOCH = re.compile(r"[0-9]{10}")
_INITIAL = r'    "~^(?i:Bearer) +(?<llm_first>[A-Za-z0-9_-])" $llm_first;'


@dataclass(frozen=True, slots=True)
class ProxyToken:
    """A token as the proxy knows it: ``id`` is 8 hexadecimal digits, ``shown`` is what the logs call it.

    ``expires`` is in seconds since 1970, or None.
    """

    id: str
    shown: str
    secret: str = field(repr=False)
    expires: int | None = None


def token_map(tokens: Iterable[ProxyToken]) -> str:
    """The map from a request's Authorization header to ``$llm_token``: what the logs call its token, or nothing.

    Raises: UsageError for what cannot stand in a configuration; the message never shows a token.
    """
    rows: dict[str, list[str]] = {}
    for token in tokens:
        if not (_ID.fullmatch(token.id) and LABEL.fullmatch(token.shown.removesuffix(".old"))):
            raise UsageError(f"token {token.id[:20]!r}: expected an id and a label that can stand in a configuration")
        if not SECRET.fullmatch(token.secret):
            raise UsageError(f"token {token.id}: expected 16 to 128 of A-Z, a-z, 0-9, - and _")
        now = r"[0-9]+" if token.expires is None else _before(token)
        row = rf'    "~^{now}\.[0-9]+ (?i:Bearer) +{token.secret}\z" {token.shown};'
        rows.setdefault(token.secret[0].lower(), []).append(row)
    lines = ["map $http_authorization $llm_initial {", '    default "";', *([_INITIAL] if rows else []), "}"]
    for initial, found in rows.items():
        lines += [f'map "$msec $http_authorization" $llm_tokens_{ord(initial)} {{', '    default "";', *found, "}"]
    choice = [f"    {initial} $llm_tokens_{ord(initial)};" for initial in rows]
    lines += ["map $llm_initial $llm_token {", '    default "";', *choice, "}"]
    head = "# Written by llm-bundle. It holds tokens: keep it at mode 0600. Change it with: llm-bundle token"
    return "\n".join([head, *lines]) + "\n"


def upstream_key(secret: str) -> str:
    """The line that gives the engine its own key. Raises: UsageError, without the key, for one that cannot be sent."""
    if not SECRET.fullmatch(secret):
        raise UsageError("the key of the engine: expected 16 to 128 of A-Z, a-z, 0-9, - and _")
    head = "# Written by llm-bundle. It holds a key: keep it at mode 0600."
    return f'{head}\nproxy_set_header Authorization "Bearer {secret}";\n'


def _before(token: ProxyToken) -> str:
    """The regular expression of every ``$msec`` ("1763740800.123") before the token's end."""
    end = str(token.expires)
    if not _EPOCH.fullmatch(end):
        raise UsageError(f"token {token.id}: expected an end between 2001 and 2286, found {end[:20]}")
    smaller = (
        rf"{end[:place]}[0-{int(digit) - 1}][0-9]{{{9 - place}}}" for place, digit in enumerate(end) if digit != "0"
    )
    return f"(?:{'|'.join(smaller)})"
