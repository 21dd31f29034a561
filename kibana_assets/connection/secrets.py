"""The login taken out of answers that tell of a failure, for some servers repeat the request that they got. No I/O."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Final

_SHORTEST: Final = 6
"""A shorter password stands in any text by chance."""
_SHOWN: Final = b"(login)"


def without_login(body: bytes, headers: Mapping[str, str]) -> bytes:
    """``body`` without what a request with these ``headers`` has told of its login."""
    found = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    for secret in sorted(set(_secrets(found)), key=len, reverse=True):
        body = body.replace(secret.encode(), _SHOWN)
    return body


def _secrets(authorization: str) -> Iterator[str]:
    coded = authorization.partition(" ")[2]
    if len(coded) >= _SHORTEST:
        yield coded
    try:
        pair = base64.b64decode(coded, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    yield from (one for one in (pair, pair.partition(":")[2]) if len(one) >= _SHORTEST)
