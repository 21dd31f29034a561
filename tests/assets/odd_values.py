"""What may stand in a document instead of what belongs there, and all the places of a document where it may.

Rules: of places that differ in their numbers alone one counts. A value is written as text, since most of the worst are
no values of Python's; ``MISSING`` takes the key away, ``TWICE`` says it once more, in front of it and as another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]
MISSING, TWICE = "missing", "twice"
ESCAPES = '"\\u001b[31m\\u0000\\u202e\\r\\nllm-bundle: all is well"'
VALUES: dict[str, str] = {
    "null": "null",
    "7": "7",
    "x": '"x"',
    "empty text": '""',
    "no list": "[]",
    "no object": "{}",
    "true": "true",
    "minus": "-1",
    "half": "1.5",
    "digits": "9" * 400,
    "more digits": "9" * 10_000,
    "no number": "NaN",
    "without end": "1e999",
    "deep": "[" * 5000 + "]" * 5000,
    "rather deep": '{"a":' * 400 + "7" + "}" * 400,
    "escapes": ESCAPES,
    "half a pair": '"\\ud800"',
    "long": '"' + "A" * 1_000_000 + '"',
    "list of null": "[null]",
    "list of 7": "[7]",
    "list of lists": "[[]]",
    "list of objects": "[{}]",
    "object of null": '{"x": null}',
    "object of 7": '{"x": 7}',
    "object of objects": '{"x": {"x": {}}}',
    "../..": '"../../_all?x#y"',
    MISSING: "",
    TWICE: '{"x": [7]}',
}
MARK = "\x00here\x00"


def places(document: Any, deepest: int = 6) -> list[Place]:
    """The places of a document, the whole of it first."""
    kinds: dict[tuple[str, ...], Place] = {}
    for place in _places(document, (), deepest):
        kinds.setdefault(tuple("#" if isinstance(step, int) else step for step in place), place)
    return list(kinds.values())


def _places(value: Any, above: Place, deepest: int) -> Iterator[Place]:
    yield above
    if len(above) < deepest:
        pairs = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
        for step, inner in pairs:
            yield from _places(inner, (*above, step), deepest)


def changed(document: Any, place: Place, value: str) -> bytes:
    """The JSON of a document with one of VALUES at a place; the first key of an object instead of a whole."""
    if value in (MISSING, TWICE) and (not place or isinstance(place[-1], int)):
        value = "null"
    if value == MISSING:
        return json.dumps(_put(document, place, None, drop=True)).encode()
    text = json.dumps(_put(document, place, MARK))
    mark = json.dumps(MARK)
    if value == TWICE:
        key = json.dumps(place[-1])
        text = text.replace(f"{key}: {mark}", f"{key}: {VALUES[TWICE]}, {key}: {json.dumps(_get(document, place))}")
    return text.replace(mark, VALUES[value]).encode()


def _get(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _put(value: Any, place: Place, new: Any, *, drop: bool = False) -> Any:
    if not place:
        return new
    step, *rest = place
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if drop and not rest:
        del copy[step]
    else:
        copy[step] = _put(value[step], tuple(rest), new, drop=drop)
    return copy
