"""A token and the file that holds all of them, as values. No I/O.

``tokens.json`` holds the tokens themselves and not their hashes: Nginx compares plain text, so they lie beside it in
any case, and everything that Nginx includes is made from this one file. Times are in seconds since 1970.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bundler.errors import BundleError, MachineError
from bundler.jsonrow import Row
from bundler.serving.nginx.tokens import LABEL, SECRET, ProxyToken

FORMAT: Final = "llm-bundle-tokens/1"
MOST: Final = 1000
MAX_BYTES: Final = 1 << 20
_LATEST: Final = 9_999_999_999


@dataclass(frozen=True, slots=True)
class Token:
    """``expires`` None: until it is revoked. ``replaced``: a newer one has its label, and this one ends."""

    label: str
    secret: str = field(repr=False)
    created: int
    expires: int | None = None
    replaced: bool = False

    @property
    def id(self) -> str:
        """8 hexadecimal digits of its SHA-256: they name it and tell nothing of it."""
        return hashlib.sha256(self.secret.encode()).hexdigest()[:8]

    @property
    def shown(self) -> str:
        """What the proxy's logs call it."""
        return f"{self.label}.old" if self.replaced else self.label

    def lives(self, now: float) -> bool:
        """Whether it is still let through."""
        return self.expires is None or now < self.expires

    def for_proxy(self) -> ProxyToken:
        """As the proxy's configuration takes it."""
        return ProxyToken(self.id, self.shown, self.secret, self.expires)


def encode(tokens: Iterable[Token]) -> bytes:
    """The bytes of tokens.json."""
    rows = [
        {
            "label": token.label,
            "token": token.secret,
            "created": token.created,
            "expires": token.expires,
            "replaced": token.replaced,
        }
        for token in tokens
    ]
    return (json.dumps({"format": FORMAT, "tokens": rows}, indent=2) + "\n").encode()


def decode(data: bytes, *, where: str) -> tuple[Token, ...]:
    """Read tokens.json. Raises: MachineError, with the place and without a token, for anything that is not one."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        # Not "from": the exception carries the text, and with it the tokens.
        raise MachineError(f"{where}: not JSON", hint=_HINT) from None
    row = _Discreet(document, where, MachineError)
    if row.text("format") != FORMAT:
        raise row.wrong("format", f'"{FORMAT}"')
    tokens = row.rows("tokens", _token, MOST)
    if len({token.id for token in tokens}) < len(tokens):
        raise MachineError(f"{where}: a token stands twice", hint=_HINT)
    return tokens


class _Discreet(Row):
    """Shows nothing of what was found: in a file that somebody changed, a token may stand anywhere."""

    def wrong(self, key: str, expected: str) -> BundleError:
        return MachineError(f"{self.where}: {key}: expected {expected}, found something else", hint=_HINT)


def _token(row: Row) -> Token:
    label, secret = row.text("label"), row.value.get("token")
    if not LABEL.fullmatch(label):
        raise row.wrong("label", "a label of a-z, 0-9 and -")
    if not isinstance(secret, str) or not SECRET.fullmatch(secret):
        raise MachineError(f"{row.where}: token: expected 16 to 128 of A-Z, a-z, 0-9, - and _", hint=_HINT)
    replaced = row.value.get("replaced")
    if not isinstance(replaced, bool):
        raise row.wrong("replaced", "true or false")
    expires = row.optional_number("expires")
    if expires is not None and not 1_000_000_000 <= expires <= _LATEST:
        raise row.wrong("expires", "seconds since 1970, between 2001 and 2286")
    return Token(label, secret, row.number("created", _LATEST), expires, replaced)


_HINT: Final = "Somebody changed it by hand. Bring it back from a backup, or move it away and make new tokens."
