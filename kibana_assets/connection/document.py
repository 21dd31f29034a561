"""The JSON of an answer: bounded in depth and in parts, plain enough to be worked with, or none at all.

Rules: what is read here cannot break what reads on: no number that Python takes only as a float without end or NaN, no
half of a surrogate pair, which nobody could print or hash; not so deep that a recursion ends in it; and no 20 bytes of
memory for each byte of a body that is nothing but brackets. Elasticsearch and Kibana send nothing of the sort.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, Final

DEEPEST: Final = 64
MOST_PARTS: Final = 1_000_000
LONGEST_NUMBER: Final = 64
_BREAKS: Final = (b",", b"[", b"{")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def parse(body: bytes) -> Any:
    """The document in ``body``, UTF-8. Raises: ValueError for everything else."""
    if sum(body.count(one) for one in _BREAKS) > MOST_PARTS:
        raise ValueError("too many parts")
    text = body.decode("utf-8")
    try:
        document = json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_float)
    except RecursionError as error:
        raise ValueError("too deep") from error
    _check_depth(document)
    if _SURROGATE.search(text):
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    return document


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number too long")
    return int(text)


def _float(text: str) -> float:
    found = float(text) if len(text) <= LONGEST_NUMBER else math.inf
    if not math.isfinite(found):
        raise ValueError("no number")
    return found


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(DEEPEST):
        level = [child for one in level for child in _children(one)]
        if not level:
            return
    raise ValueError("too deep")


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
