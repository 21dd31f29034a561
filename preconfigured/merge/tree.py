"""YAML text → a tree whose every node knows the offsets at which it begins and ends.

Rules: one document, whose top is a mapping or nothing. Anchors, aliases, tags and merge keys are kept as what they
are, not followed. A key that stands twice is refused, because Kibana does not start on it. Size and depth are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from preconfigured.errors import KibanaYmlError

_DEEPEST = 40
_MOST_NODES = 400_000

Kind = Literal["scalar", "alias", "mapping", "sequence"]


@dataclass(frozen=True, slots=True)
class Node:
    """A value. ``start`` and ``end`` are offsets; ``inner`` is where a flow collection's content begins.

    ``end`` is that of the last thing inside, for a block collection too; ``limit`` is where the next thing begins.
    ``mark`` is the anchor, or an alias's name; ``style`` tells a quoted or block scalar from a plain one.
    """

    kind: Kind
    start: int
    end: int
    limit: int
    text: str = ""
    style: str | None = None
    flow: bool = False
    inner: int = 0
    mark: str | None = None
    tag: str | None = None
    entries: tuple[Entry, ...] = ()
    items: tuple[Node, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is written there, or ``null`` in one of its spellings."""
        plain = self.kind == "scalar" and self.style is None and self.tag is None
        return plain and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping with its value."""

    key: Node
    value: Node


@dataclass(frozen=True, slots=True)
class Document:
    """A whole text. ``top`` is None where it holds nothing but comments; ``begin`` and ``end`` bound its content."""

    top: Node | None
    begin: int
    end: int


def read(text: str, where: str) -> Document:
    """Read the one document in ``text``.

    Raises:
        KibanaYmlError: no YAML, several documents, a key twice, or a top that is no mapping; with the line.
    """
    return _Reader(text, where).document()


def line_of(text: str, offset: int) -> int:
    """The line of an offset, counted from 1."""
    return text.count("\n", 0, offset) + 1


class _Reader:
    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.nodes = 0
        self.events = self.scan()

    def error(self, offset: int, message: str, hint: str) -> KibanaYmlError:
        return KibanaYmlError(f"{self.where}:{line_of(self.text, offset)}: {message}", hint=hint)

    def scan(self) -> Iterator[Event]:
        try:
            yield from YAML(typ="safe", pure=True).parse(self.text)
        except MarkedYAMLError as error:
            raise self.syntax(error) from error
        except (YAMLError, ValueError, OverflowError) as error:
            # An escape such as "\Uffffffff" reaches chr() inside the scanner.
            hint = "Look for a backslash in double quotes; single quotes take it for what it is."
            raise KibanaYmlError(f"{self.where}: not YAML: an escape that names no character", hint=hint) from error

    def syntax(self, error: MarkedYAMLError) -> KibanaYmlError:
        mark = error.problem_mark or error.context_mark
        offset = int(mark.index) if mark else 0
        begin = self.text.rfind("\n", 0, offset) + 1
        line = self.text[begin:].partition("\n")[0]
        if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in (error.problem or ""):
            return self.error(offset, "not YAML: a tab, where YAML wants spaces", "Indent with spaces.")
        problem = error.problem or error.context or "it cannot be read"
        hint = "Kibana would not start on it either: look at indentation, quotes and brackets here and one line above."
        return self.error(offset, f"not YAML: {problem}", hint)

    def document(self) -> Document:
        top: Node | None = None
        begin, end, count = 0, len(self.text), 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                count += 1
                if count > 1:
                    raise self.error(event.start_mark.index, "a second document begins", "Kibana reads only one.")
                begin = event.end_mark.index if event.explicit else 0
            elif isinstance(event, DocumentEndEvent) and event.explicit:
                end = event.start_mark.index
            elif isinstance(event, NodeEvent):
                top = self.node(event, 0)
        if top is not None and top.kind != "mapping" and not top.empty:
            raise self.error(top.start, f"expected settings (key: value), found a {top.kind}", "Is it a kibana.yml?")
        return Document(top if top and top.kind == "mapping" else None, begin, end)

    def node(self, event: NodeEvent, depth: int) -> Node:
        self.nodes += 1
        start, end = int(event.start_mark.index), int(event.end_mark.index)
        if depth > _DEEPEST or self.nodes > _MOST_NODES:
            message = f"expected at most {_DEEPEST} levels and {_MOST_NODES:,} values, found more"
            raise self.error(start, message, "Is it a kibana.yml?")
        if isinstance(event, AliasEvent):
            return Node("alias", start, end, end, mark=event.anchor)
        if isinstance(event, ScalarEvent):
            return Node("scalar", start, end, end, event.value, event.style, mark=event.anchor, tag=_tag(event))
        if isinstance(event, MappingStartEvent):
            return self.mapping(event, depth)
        assert isinstance(event, SequenceStartEvent)
        return self.sequence(event, depth)

    def mapping(self, event: MappingStartEvent, depth: int) -> Node:
        start, inner, flow = int(event.start_mark.index), int(event.end_mark.index), bool(event.flow_style)
        entries: list[Entry] = []
        seen: dict[str, int] = {}
        for inside in self.events:
            if isinstance(inside, MappingEndEvent):
                limit = int(inside.end_mark.index)
                end = limit if flow or not entries else entries[-1].value.end
                return Node(
                    "mapping", start, end, limit, flow=flow, inner=inner, mark=event.anchor, tag=_tag(event),
                    entries=tuple(entries),
                )  # fmt: skip
            assert isinstance(inside, NodeEvent)
            key = self.node(inside, depth + 1)
            self.check_key(key, seen)
            value = next(self.events)
            assert isinstance(value, NodeEvent)
            entries.append(Entry(key, self.at_key(key, self.node(value, depth + 1))))
        raise AssertionError("the scanner ends every mapping")

    def at_key(self, key: Node, value: Node) -> Node:
        """A value that is not written stands right behind its colon; the scanner reports it at the next thing."""
        if value.kind != "scalar" or value.start != value.end or value.mark or value.tag:
            return value
        colon = self.text.find(":", key.end, value.start)
        at = key.end if colon < 0 else colon + 1
        return replace(value, start=at, end=at, limit=at)

    def check_key(self, key: Node, seen: dict[str, int]) -> None:
        if key.kind != "scalar":
            raise self.error(key.start, f"expected a text as key, found a {key.kind}", "Kibana has no such settings.")
        if key.text in seen and key.text != "<<":
            first = line_of(self.text, seen[key.text])
            message = f"the key {key.text[:80]!r} stands here and in line {first} already"
            raise self.error(key.start, message, "Kibana does not start on it: keep one of the two.")
        seen[key.text] = key.start

    def sequence(self, event: SequenceStartEvent, depth: int) -> Node:
        start, inner, flow = int(event.start_mark.index), int(event.end_mark.index), bool(event.flow_style)
        items: list[Node] = []
        for inside in self.events:
            if isinstance(inside, SequenceEndEvent):
                limit = int(inside.end_mark.index)
                end = limit if flow or not items else items[-1].end
                return Node(
                    "sequence", start, end, limit, flow=flow, inner=inner, mark=event.anchor, tag=_tag(event),
                    items=tuple(items),
                )  # fmt: skip
            assert isinstance(inside, NodeEvent)
            items.append(self.node(inside, depth + 1))
        raise AssertionError("the scanner ends every sequence")


def _tag(event: NodeEvent) -> str | None:
    tag = getattr(event, "ctag", None)
    return str(tag) if tag else None
