"""Read JSON that comes with a model: bounded in bytes, in values and in depth, and never a foreign exception.

Rules: numbers that are not finite become None (some configurations of Mamba models hold ``Infinity``); a
whole number of more than 20 digits is refused, for it can only be an attack or damage.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from bundler.models.interface import ModelFiles
from bundler.models.place import Place

CONFIG_LIMIT = 16 << 20
_VALUES = 3_000_000
_DIGITS = 20


def load(files: ModelFiles, place: Place, *, limit: int = CONFIG_LIMIT) -> dict[str, Any]:
    """The JSON object in the file at ``place``, of at most ``limit`` bytes. Raises: SpecError."""
    size = files.paths[place.path]
    if not 0 < size <= limit:
        raise place.fault(f"{size:,} bytes; expected 1 to {limit:,}")
    return parse(files.read(place.path, 0, size), place)


def parse(data: bytes, place: Place, *, unique: bool = False) -> dict[str, Any]:
    """The JSON object in ``data``; with ``unique`` a key that stands twice is refused. Raises: SpecError."""
    if sum(map(data.count, (b"{", b"[", b","))) > _VALUES:
        raise place.fault(f"holds more than {_VALUES:,} values")
    try:
        found = json.loads(
            data.decode("utf-8"),
            parse_constant=lambda _: None,
            parse_int=_whole,
            object_pairs_hook=_unique if unique else None,
        )
    except RecursionError as error:
        raise place.fault("JSON that is nested too deeply") from error
    except ValueError as error:
        raise place.fault(f"not readable JSON: {error}") from error
    if not isinstance(found, dict):
        raise place.fault(f"expected a JSON object, found {type(found).__name__}")
    return found


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"{twice[:100]!a} stands twice")
    return found
