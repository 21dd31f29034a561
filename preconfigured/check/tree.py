"""YAML text → a read-only tree whose every node knows its line and column, and what is wrong with the text.

Rules: nothing here raises for what stands in the text; every fault is kept beside the tree. Keys that stand twice are
kept, aliases are the node that they name (never a copy), merges (``<<``) are carried out. Size, depth and the number
of nodes are bounded. Plain scalars mean what the core schema of YAML 1.2 says, as in Kibana's own readers.
Anchors' names and values never stand in a fault: they may be part of a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from preconfigured.check.yaml_faults import Fault, syntax_faults, unreadable_character

LARGEST = 4 << 20
DEEPEST = 64
MOST_NODES = 50_000

Kind = Literal["text", "integer", "number", "boolean", "null"]
_PLAIN: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("null", re.compile(r"null|Null|NULL|~|")),
    ("boolean", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("integer", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")),
    ("number", re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")),
)
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as written, and what it is taken for."""

    line: int
    column: int
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    line: int
    column: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping with its place, and its value."""

    key: str
    line: int
    column: int
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping; a key may stand in it more than once."""

    line: int
    column: int
    entries: tuple[Entry, ...]


Node: TypeAlias = "Scalar | Sequence | Mapping"


@dataclass(frozen=True, slots=True)
class Document:
    """The first document of a text, None where there is none; ``whole`` is false where reading had to stop."""

    root: Node | None
    faults: tuple[Fault, ...]
    whole: bool


class _Stop(Exception):
    """Reading cannot go on; the fault is already kept."""


def read_tree(text: str) -> Document:
    """Read the first document of ``text``."""
    text = text.removeprefix("\ufeff")
    bad = unreadable_character(text)
    if bad:
        return Document(None, (bad,), whole=False)
    builder = _Builder(text)
    try:
        root = builder.document()
    except _Stop:
        return Document(None, tuple(builder.faults), whole=False)
    return Document(root, tuple(builder.faults), whole=True)


class _Builder:
    def __init__(self, text: str) -> None:
        self.faults: list[Fault] = []
        self.anchors: dict[str, Node | None] = {}
        self.nodes = 0
        self.events = self.parse(text)

    def parse(self, text: str) -> Iterator[Event]:
        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as error:
            self.faults.extend(syntax_faults(error, text))
            raise _Stop from error
        except (YAMLError, ValueError, OverflowError, IndexError) as error:
            # An escape such as "\Uffffffff" reaches chr() inside the scanner, a lone % its end.
            self.faults.append(Fault("yaml-syntax", 1, 1, "it holds an escape or a directive that cannot be read"))
            raise _Stop from error

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents == 2:
                    self.fault("yaml-documents", event, "a second document begins here")
                    return root
            elif isinstance(event, NodeEvent):
                root = self.node(event, 0)
        return root

    def fault(self, rule: str, event: Event, detail: str) -> None:
        line, column = _spot(event)
        self.faults.append(Fault(rule, line, column, detail))

    def node(self, event: Event, depth: int) -> Node:
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            limit = f"more than {DEEPEST} levels" if depth > DEEPEST else f"more than {MOST_NODES:,} values"
            self.fault("yaml-too-large", event, limit)
            raise _Stop
        if isinstance(event, AliasEvent):
            return self.alias(event)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self.anchors[anchor] = None
        node = self.fresh(event, depth)
        if anchor:
            self.anchors[anchor] = node
        return node

    def fresh(self, event: Event, depth: int) -> Node:
        line, column = _spot(event)
        tag = str(getattr(event, "tag", None) or "")
        if tag and not tag.startswith(_CORE):
            self.fault("yaml-tag", event, "a tag (!) that Kibana does not know")
        if isinstance(event, MappingStartEvent):
            return Mapping(line, column, tuple(self.entries(depth)))
        if isinstance(event, SequenceStartEvent):
            return Sequence(line, column, tuple(self.items(depth)))
        assert isinstance(event, ScalarEvent)
        quoted = bool(event.style) or tag == _CORE + "str" or tag == "!"
        return Scalar(line, column, event.value, "text" if quoted else _kind(event.value))

    def alias(self, event: AliasEvent) -> Node:
        node = self.anchors.get(event.anchor)
        if node is None:
            inside = event.anchor in self.anchors
            detail = "an alias (*) that stands inside what it names" if inside else "an alias (*) that names nothing"
            self.fault("yaml-alias", event, detail)
            return Scalar(*_spot(event), "", "null")
        return node

    def items(self, depth: int) -> Iterator[Node]:
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                return
            yield self.node(event, depth + 1)

    def entries(self, depth: int) -> Iterator[Entry]:
        merged: list[Entry] = []
        own: set[str] = set()
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                break
            line, column = _spot(event)
            key = self.node(event, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if not isinstance(key, Scalar):
                self.fault("yaml-key", event, "a list or a mapping in the place of a key")
            elif key.text == "<<" and not isinstance(event, AliasEvent) and not getattr(event, "style", None):
                self.fault("yaml-merge", event, "a merge key (<<)")
                merged.extend(_merged(value))
            else:
                own.add(key.text)
                yield Entry(key.text, line, column, value)
        for entry in merged:
            self.nodes += 1
            if entry.key not in own and self.nodes <= MOST_NODES:
                own.add(entry.key)
                yield entry


def _merged(value: Node) -> Iterator[Entry]:
    for part in value.items if isinstance(value, Sequence) else (value,):
        if isinstance(part, Mapping):
            yield from part.entries


def _spot(event: Event) -> tuple[int, int]:
    return int(event.start_mark.line) + 1, int(event.start_mark.column) + 1


def _kind(text: str) -> Kind:
    return next((kind for kind, pattern in _PLAIN if pattern.fullmatch(text)), "text")
