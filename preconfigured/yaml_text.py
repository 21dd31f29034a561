"""Writing YAML that people read: comments above keys, quotes only where YAML would misread a text.

Rules: the same entries give the same bytes on every machine. A text stands plain only if every YAML reader, of 1.1 and
1.2, takes it for that text; else in double quotes with JSON's escapes. Reading YAML is not done here.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 100
_PLAIN = re.compile(r"[./]?[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*|[0-9]+(?:ms|s|m|h|d|b|kb|mb|gb)", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"})
# What YAML does not allow raw in double quotes, beside quote and backslash, or what editors take for a line break.
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}

Scalar: TypeAlias = "str | int | float | bool"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value and the comment above it; ``notes`` stand between the comment and the key."""

    key: str
    value: Value
    comment: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A list of texts, or of mappings that are not empty and whose first entry has no comment."""

    values: tuple[str | tuple[Entry, ...], ...]


Value: TypeAlias = "Scalar | Items | tuple[Entry, ...]"


def scalar(value: Scalar) -> str:
    """A scalar as YAML; numbers and booleans in the form that all readers share."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        # YAML 1.1 takes 1e-05 for a text, and 1.0e-05 for a number.
        digits, exponent, power = repr(value).partition("e")
        return f"{digits}.0e{power}" if exponent and "." not in digits else repr(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return '"' + _ESCAPED.sub(_escape, value) + '"'


def comment(text: str, indent: int = 0) -> list[str]:
    """A comment, wrapped; paragraphs are parted by an empty line of text."""
    pad = " " * indent + "#"
    lines: list[str] = []
    for paragraph in text.split("\n"):
        wrapped = textwrap.wrap(paragraph, WIDTH - indent - 2, break_long_words=False, break_on_hyphens=False)
        lines.extend(f"{pad} {line}" for line in wrapped or [""])
    return [line.rstrip() for line in lines]


def mapping(entries: Sequence[Entry], indent: int = 0) -> Iterator[str]:
    """The lines of a mapping."""
    for entry in entries:
        for text in (entry.comment, *(f"Note: {note}" for note in entry.notes)):
            yield from comment(text, indent) if text else ()
        yield from _entry(entry, indent)


def _entry(entry: Entry, indent: int) -> Iterator[str]:
    key = " " * indent + scalar(entry.key) + ":"
    if isinstance(entry.value, Items):
        yield key
        yield from items(entry.value, indent + 2)
    elif not isinstance(entry.value, tuple):
        yield f"{key} {scalar(entry.value)}"
    elif entry.value:
        yield key
        yield from mapping(entry.value, indent + 2)
    else:
        yield f"{key} {{}}"


def items(found: Items, indent: int) -> Iterator[str]:
    """The lines of a list."""
    pad = " " * indent
    for item in found.values:
        if isinstance(item, str):
            yield f"{pad}- {scalar(item)}"
            continue
        lines = list(mapping(item, indent + 2))
        yield f"{pad}- {lines[0].lstrip()}"
        yield from lines[1:]


def _escape(match: re.Match[str]) -> str:
    found = match[0]
    return _SHORT.get(found) or f"\\u{ord(found):04X}"
