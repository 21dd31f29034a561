"""Take numbers and names out of configurations that anyone may have written.

Rules: the first key that holds a sensible value wins; a value of another type, a negative one or an absurd
one counts as not said, because the engine has its own defaults for those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST = 1 << 31


def whole(config: Mapping[str, Any], *keys: str) -> int | None:
    """The first of ``keys`` that holds a whole number from 1 to 2^31."""
    for key in keys:
        found = config.get(key)
        if type(found) is int and 0 < found <= _MOST:
            return found
    return None


def factor(config: Mapping[str, Any], key: str) -> float:
    """A scaling factor from above 0 to 1,000,000; 1 where none is said."""
    found = config.get(key)
    return float(found) if isinstance(found, (int, float)) and 0 < found <= 1e6 else 1.0


def text(config: Mapping[str, Any], *keys: str) -> str | None:
    """The first of ``keys`` that holds a short, printable string."""
    for key in keys:
        found = config.get(key)
        if isinstance(found, str) and 0 < len(found) <= 200 and found.isprintable():
            return found
    return None


def mapping(config: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """The first of ``keys`` that holds an object; an empty one where none does."""
    return next((config[key] for key in keys if isinstance(config.get(key), dict)), {})


def entries(config: Mapping[str, Any], *keys: str) -> list[Any]:
    """The first of ``keys`` that holds a list; an empty one where none does."""
    return next((config[key] for key in keys if isinstance(config.get(key), list)), [])
