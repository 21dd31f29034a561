"""YAML text → a tree whose every node knows its line.

Rules: one document, mappings with text keys, sequences and scalars, and nothing else of YAML. Anchors,
aliases, tags and directives are refused, and so is a key that stands twice, of which YAML readers silently take
one. Size and depth are bounded. What a plain scalar means is the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema), so that ``no`` and ``2026-11-20`` are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bundler.errors import SpecError
from bundler.spec.wording import place, quoted, step

LARGEST = 1 << 20
_DEEPEST = 12
_MOST_NODES = 20_000

Kind = Literal["text", "integer", "number", "boolean", "null"]

_PLAIN: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("null", re.compile(r"null|Null|NULL|~|")),
    ("boolean", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("integer", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")),
    ("number", re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")),
    ("number", re.compile(r"[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN")),
)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as written, with what the core schema takes it for."""

    line: int
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping, with the line of the key, and its value."""

    key: str
    line: int
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping; its keys are unique."""

    line: int
    entries: tuple[Entry, ...]


Node: TypeAlias = "Scalar | Sequence | Mapping"


def read_document(text: str, where: str) -> Node:
    """The one document in ``text``.

    Raises: SpecError, with the line, when it is not YAML, is empty, or uses what the rules above refuse.
    """
    text = text.removeprefix("\ufeff")
    bad = _FORBIDDEN.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        raise SpecError(
            f"{place(where, line, '')}: the character U+{ord(bad[0]):04X} may not stand in a YAML file",
            hint="remove it; a text editor that shows invisible characters helps",
        )
    return _Builder(where, _events(text, where)).document()


def _events(text: str, where: str) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        raise _syntax(error, text, where) from error
    except (YAMLError, ValueError, OverflowError) as error:
        # An escape such as "\Uffffffff" reaches chr() inside the scanner.
        raise SpecError(f"{where}: not YAML: it holds an escape that names no character") from error


def _syntax(error: MarkedYAMLError, text: str, where: str) -> SpecError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    indent = written[: len(written) - len(written.lstrip())]
    if "\t" in indent or "'\\t'" in (error.problem or ""):
        message = f"{place(where, line, '')}: a tab, where YAML wants spaces"
        return SpecError(message, hint="indent with spaces")
    problem = error.problem or error.context or "it cannot be read"
    return SpecError(
        f"{place(where, line, '')}: not YAML: {problem}",
        hint="check indentation, quotes and brackets in this line and the one before",
    )


class _Builder:
    def __init__(self, where: str, events: Iterator[Event]) -> None:
        self.where = where
        self.events = events
        self.nodes = 0

    def error(self, line: int, path: str, message: str, hint: str = "") -> SpecError:
        return SpecError(f"{place(self.where, line, path)}: {message}", hint=hint)

    def document(self) -> Node:
        root: Node | None = None
        for event in self.events:
            line = _line(event)
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    raise self.error(line, "", "a second document begins", "keep one document, without ---")
                if event.version or event.tags:
                    raise self.error(line, "", "YAML directives (%) are not used here", "remove the line")
            elif isinstance(event, NodeEvent):
                root = self.node(event, "", 0)
        if root is None or (isinstance(root, Scalar) and root.kind == "null"):
            raise SpecError(f"{self.where}: the file is empty", hint="llm-bundle init writes one to begin with")
        return root

    def node(self, event: Event, path: str, depth: int) -> Node:
        line = _line(event)
        self.nodes += 1
        if depth > _DEEPEST or self.nodes > _MOST_NODES:
            message = f"expected at most {_DEEPEST} levels and {_MOST_NODES} values in the file, found more"
            raise self.error(line, path, message)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            hint = "write the value where it is used"
            raise self.error(line, path, "YAML anchors (&) and aliases (*) are not used here", hint)
        if getattr(event, "ctag", None):
            raise self.error(line, path, "YAML tags (!) are not used here", "remove it, or quote the value")
        if isinstance(event, MappingStartEvent):
            return Mapping(line, tuple(self.entries(path, depth)))
        if isinstance(event, SequenceStartEvent):
            return Sequence(line, tuple(self.items(path, depth)))
        assert isinstance(event, ScalarEvent)
        return Scalar(line, event.value, "text" if event.style else _kind(event.value))

    def items(self, path: str, depth: int) -> Iterator[Node]:
        for position, event in enumerate(self.events):
            if isinstance(event, SequenceEndEvent):
                return
            yield self.node(event, f"{path}[{position}]", depth + 1)

    def entries(self, path: str, depth: int) -> Iterator[Entry]:
        seen: dict[str, int] = {}
        for event in self.events:
            if isinstance(event, MappingEndEvent):
                return
            key = self.node(event, path, depth + 1)
            if not isinstance(key, Scalar):
                raise self.error(key.line, path, "a key must be text, found a list or a mapping")
            if key.text in seen:
                message = f"key {quoted(key.text)} stands twice, first in line {seen[key.text]}"
                raise self.error(key.line, path, message, "keep one of the two")
            seen[key.text] = key.line
            value = self.node(next(self.events), step(path, key.text), depth + 1)
            # A value that begins below its key, or is missing, is looked for at the key.
            yield Entry(key.text, key.line, replace(value, line=key.line))


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _kind(text: str) -> Kind:
    return next((kind for kind, pattern in _PLAIN if pattern.fullmatch(text)), "text")
