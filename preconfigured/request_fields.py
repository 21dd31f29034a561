"""Typed reading of connectors.yml: a field is a node with its path and its line.

Rules: every refusal says ``file:line: place: expected …, found …``. A value is never converted from another type, and
a value that may be a secret is never repeated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from preconfigured.errors import KibanaYmlError
from preconfigured.merge.tree import Node

_INTEGER = re.compile(r"[0-9]{1,15}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
# What YAML takes for no text when it stands without quotes.
_NO_TEXT = re.compile(r"|~|null|true|false|yes|no|on|off|[-+]?[0-9][0-9_.]*(?:e[-+]?[0-9]+)?", re.IGNORECASE)
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\S*", re.ASCII)
_SECRET = re.compile(r"token|passw|secret|api_?key", re.IGNORECASE)
_NO_SECRETS = "No secret stands in this file: it goes into Kibana's keystore."


@dataclass(frozen=True, slots=True)
class Field:
    """A value of connectors.yml; ``line`` is that of its key, ``path`` is as in ``connectors[0].pki``."""

    node: Node
    path: str
    line: int
    where: str

    def error(self, message: str, hint: str, line: int | None = None) -> KibanaYmlError:
        """A refusal of this value."""
        at = f"{self.where}:{line or self.line}"
        return KibanaYmlError(f"{at}: {self.path}: {message}" if self.path else f"{at}: {message}", hint=hint)

    def text(self) -> str:
        """A text."""
        node = self._plain("a text")
        no_text = node.style is None and _NO_TEXT.fullmatch(node.text) and not _VERSION.fullmatch(node.text)
        if no_text:
            raise self.error("expected a text", 'Put it in quotes: "…"')
        return node.text

    def integer(self) -> int:
        """A whole number."""
        node = self._plain("a whole number")
        if node.style is not None or not _INTEGER.fullmatch(node.text):
            raise self.error("expected a whole number", "Write plain digits without quotes, as in 65536.")
        return int(node.text)

    def number(self) -> float:
        """A number, whole or not."""
        node = self._plain("a number")
        if node.style is not None or not _NUMBER.fullmatch(node.text) or not math.isfinite(float(node.text)):
            raise self.error("expected a number", "Write it without quotes, as in 0.2.")
        return float(node.text) if "." in node.text else int(node.text)

    def boolean(self) -> bool:
        """``true`` or ``false``."""
        node = self._plain("true or false")
        if node.style is not None or node.text not in {"true", "false"}:
            raise self.error("expected true or false", "Write it in small letters and without quotes.")
        return node.text == "true"

    def choice(self, options: Sequence[str]) -> str:
        """One of some texts."""
        value = self.text()
        if value not in options:
            raise self.error(f"expected one of {', '.join(options)}, found {value[:40]!r}", _nearest(value, options))
        return value

    def items(self) -> tuple[Field, ...]:
        """The items of a list."""
        if self.node.kind != "sequence":
            raise self.error("expected a list", "Begin each item with '- ' in a line of its own.")
        return tuple(Field(n, f"{self.path}[{i}]", self.line, self.where) for i, n in enumerate(self.node.items))

    def pairs(self, lines: LineOf) -> dict[str, Field]:
        """A mapping with any keys."""
        if self.node.kind != "mapping" or self.node.mark or self.node.tag:
            raise self.error("expected a mapping (key: value)", "Write 'key: value', without anchors and tags.")
        found = {}
        for entry in self.node.entries:
            path = f"{self.path}.{entry.key.text}" if self.path else entry.key.text
            found[entry.key.text] = Field(entry.value, path, lines(entry.key.start), self.where)
        return found

    def section(self, required: Sequence[str], optional: Sequence[str], lines: LineOf) -> dict[str, Field]:
        """A mapping with these keys and no others."""
        found = self.pairs(lines)
        known = (*required, *optional)
        for key, field in found.items():
            if key not in known:
                hint = _NO_SECRETS if _SECRET.search(key) else _nearest(key, known)
                raise self.error(f"unknown key {key[:80]!r}; expected one of {', '.join(known)}", hint, field.line)
        for key in required:
            if key not in found:
                raise self.error(f"the key {key!r} is missing", f"Add {key}: …")
        return found

    def _plain(self, expected: str) -> Node:
        if self.node.kind != "scalar" or self.node.mark or self.node.tag:
            kind = self.node.kind if self.node.kind != "scalar" else "an anchor or a tag"
            raise self.error(f"expected {expected}, found {kind}", "Write the value itself there.")
        return self.node


@dataclass(frozen=True, slots=True)
class LineOf:
    """The line of an offset in a text."""

    text: str

    def __call__(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1


def _nearest(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, 1, 0.6)
    return f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(known)}."


Scalar = Literal["text", "integer", "number", "boolean"]


def scalar(field: Field, kind: Scalar) -> str | int | float | bool:
    """A scalar of that kind."""
    if kind == "text":
        return field.text()
    if kind == "integer":
        return field.integer()
    return field.number() if kind == "number" else field.boolean()
