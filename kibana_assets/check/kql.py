"""Kibana's query language (KQL), parsed as Kibana parses it.

Rules: an unquoted literal runs on over blanks to the next keyword or special character, so that ``a = 1`` is one
literal, looked for in all fields. Keywords are of any case. ``\\`` escapes what is special. Written anew from the
grammar of @kbn/es-query; autocompletion is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SPECIAL: Final = '\\():<>"*{}'
_KEYWORD: Final = re.compile(r"\s+(?:or|and)\s+|not\s+", re.IGNORECASE)
_OPERATOR: Final = re.compile(r"<=|>=|<|>")
_BLANK: Final = re.compile(r"\s*")
_ESCAPED_WORD: Final = re.compile(r"\\(or|and|not)", re.IGNORECASE)
_UNICODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_LONGEST: Final = 10_000
_DEEPEST: Final = 60


class KqlError(ValueError):
    """A query that Kibana would refuse; ``at`` is the character, counted from 0."""

    def __init__(self, at: int, expected: str, found: str) -> None:
        super().__init__(f"character {at + 1}: found {found}, expected {expected}")
        self.at = at


@dataclass(frozen=True, slots=True)
class Value:
    """A literal; ``wild`` is whether an unquoted ``*`` is in it, which stays ``*`` in ``text``."""

    text: str
    quoted: bool = False
    wild: bool = False


@dataclass(frozen=True, slots=True)
class Is:
    """``field: value``; without a field, the value is looked for everywhere."""

    field: Value | None
    value: Value


@dataclass(frozen=True, slots=True)
class Range:
    """``field >= value``."""

    field: Value
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Nested:
    """``field: { query }``."""

    field: Value
    inner: Node


@dataclass(frozen=True, slots=True)
class Not:
    """``not query``."""

    inner: Node


@dataclass(frozen=True, slots=True)
class All:
    """``a and b``."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """``a or b``."""

    parts: tuple[Node, ...]


Node = Is | Range | Nested | Not | All | Any


def parse(text: str) -> Node | None:
    """The query, or nothing for one that finds all. Raises: KqlError."""
    if len(text) > _LONGEST:
        raise KqlError(_LONGEST, f"{_LONGEST} characters at most", f"{len(text)}")
    if not text.strip():
        return None
    reader = _Reader(text)
    node = reader.either(None)
    reader.blanks()
    if reader.at < len(text):
        raise reader.error("the end, and, or")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def blanks(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def error(self, expected: str) -> KqlError:
        found = repr(self.text[self.at : self.at + 10]) if self.at < len(self.text) else "the end"
        return KqlError(self.at, expected, found)

    def sign(self, text: str) -> bool:
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def need(self, text: str) -> None:
        if not self.sign(text):
            raise self.error(repr(text))

    def word(self, word: str) -> bool:
        """``and`` or ``or`` between blanks, or ``not`` before one."""
        pattern = rf"{word}\s+" if word == "not" else rf"\s+{word}\s+"
        found = re.compile(pattern, re.IGNORECASE).match(self.text, self.at)
        if found:
            self.at = found.end()
        return bool(found)

    def either(self, field: Value | None) -> Node:
        """``a or b``: of queries, or below ``field`` of its values."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error("fewer brackets")
        self.blanks()
        parts = [self.both(field)]
        while self.word("or"):
            parts.append(self.both(field))
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def both(self, field: Value | None) -> Node:
        parts = [self.negated(field)]
        while self.word("and"):
            parts.append(self.negated(field))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def negated(self, field: Value | None) -> Node:
        if self.word("not"):
            return Not(self.bracketed(field))
        return self.bracketed(field)

    def bracketed(self, field: Value | None) -> Node:
        if self.sign("("):
            node = self.either(field)
            self.blanks()
            self.need(")")
            return node
        return Is(field, self.literal()) if field else self.expression()

    def expression(self) -> Node:
        start = self.literal()
        mark = self.at
        self.blanks()
        operator = _OPERATOR.match(self.text, self.at)
        if operator:
            self.at = operator.end()
            self.blanks()
            return Range(start, operator[0], self.literal())
        if not self.sign(":"):
            self.at = mark
            return Is(None, start)
        self.blanks()
        if self.sign("{"):
            inner = self.either(None)
            self.blanks()
            self.need("}")
            return Nested(start, inner)
        return self.bracketed(start)

    def literal(self) -> Value:
        if self.sign('"'):
            return self.quoted()
        start, made, wild = self.at, "", False
        while self.at < len(self.text) and not _KEYWORD.match(self.text, self.at):
            char = self.text[self.at]
            if char == "\\":
                made += self.escaped()
                continue
            if char in SPECIAL and char != "*":
                break
            wild = wild or char == "*"
            made += char
            self.at += 1
        if not made.strip():
            self.at = start
            raise self.error("a field or a value")
        self.at -= len(made) - len(made.rstrip())
        return Value(made.strip(), wild=wild)

    def quoted(self) -> Value:
        made = ""
        while not self.sign('"'):
            if self.at >= len(self.text):
                raise self.error("a closing quote")
            if self.text[self.at] == "\\":
                made += self.escaped()
            else:
                made += self.text[self.at]
                self.at += 1
        return Value(made, quoted=True)

    def escaped(self) -> str:
        for pattern in (_UNICODE, _ESCAPED_WORD):
            found = pattern.match(self.text, self.at)
            if found:
                self.at = found.end()
                return chr(int(found[1], 16)) if pattern is _UNICODE else found[1]
        following = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if following and following in "trn":
            return {"t": "\t", "r": "\r", "n": "\n"}[following]
        if following and following in SPECIAL:
            return following
        self.at -= 2
        raise self.error("something to escape behind the backslash")
