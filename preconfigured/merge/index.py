"""The settings of a kibana.yml as Kibana sees them, whichever way their names are spelt.

Rules: a dot in a key parts it, so ``xpack: {actions: …}`` and ``xpack.actions: …`` are the same; ``'[a.b]'`` keeps its
dot. Of two values for one setting the later one holds, and an empty mapping or null later on wipes what stood below
it. Source: elastic/kibana, packages/kbn-config/src/raw/read_config.ts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from preconfigured.merge.tree import Document, Entry, Node

Path: TypeAlias = tuple[str, ...]
Effective: TypeAlias = "dict[str, Effective | Node]"
Skip: TypeAlias = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a setting, or a mapping above one, is written; ``parent`` is the mapping that its key stands in."""

    path: Path
    entry: Entry
    parent: Node


def segments(key: str) -> Path:
    """The parts of a key."""
    if key.startswith("[") and key.endswith("]"):
        return (key[1:-1],)
    return tuple(key.split("."))


def places(document: Document) -> tuple[Place, ...]:
    """Every key outside of lists, in the order of the text."""
    return tuple(_places(document.top, ())) if document.top else ()


def _places(mapping: Node, above: Path) -> Iterator[Place]:
    for entry in mapping.entries:
        path = (*above, *segments(entry.key.text))
        yield Place(path, entry, mapping)
        yield from _places(entry.value, path)


def leaves(document: Document, skip: Skip) -> tuple[tuple[Path, object], ...]:
    """Every value with its name, in the order of the text, without those that begin where ``skip`` says so.

    What holds nothing else any more counts as what it was before something was put into it.
    """
    return tuple(_leaves(document.top, (), skip)) if document.top else ()


def _leaves(mapping: Node, above: Path, skip: Skip) -> Iterator[tuple[Path, object]]:
    for entry in mapping.entries:
        if skip(entry.key.start):
            continue
        path = (*above, *segments(entry.key.text))
        value = entry.value
        kept = tuple(child for child in value.entries if not skip(child.key.start))
        if value.kind == "mapping" and kept:
            yield (*path, ":"), (value.tag, value.mark)
            yield from _leaves(value, path, skip)
        elif value.kind == "mapping":
            yield path, _emptied(value)
        elif value.kind == "sequence":
            items = tuple(meaning(item) for item in value.items if not skip(item.start))
            yield path, ("sequence", value.tag, value.mark, items) if items else _emptied(value)
        else:
            yield path, meaning(value)


def _emptied(node: Node) -> object:
    return (node.kind if node.flow else "scalar", node.tag, node.mark, () if node.flow else (None, ""))


def meaning(node: Node) -> object:
    """What a node means, comparable; quotes count, the kind of quotes and the layout do not."""
    inside: object = (node.style is not None or None, node.text)
    if node.kind == "mapping":
        inside = tuple((meaning(entry.key), meaning(entry.value)) for entry in node.entries)
    elif node.kind == "sequence":
        inside = tuple(meaning(item) for item in node.items)
    return node.kind, node.tag, node.mark, inside


def effective(document: Document) -> Effective:
    """The settings that hold, as nested mappings; lists and empty mappings are leaves."""
    found: Effective = {}
    for place in places(document):
        if not place.entry.value.entries:
            _assign(found, place.path, place.entry.value)
    return found


def _assign(found: Effective, path: Path, value: Node) -> None:
    for part in path[:-1]:
        below = found.get(part)
        if not isinstance(below, dict):
            below = found[part] = {}
        found = below
    found[path[-1]] = value


def lookup(found: Effective, path: Path) -> Effective | Node | None:
    """What holds at a path; None where nothing does."""
    here: Effective | Node | None = found
    for part in path:
        here = here.get(part) if isinstance(here, dict) else None
    return here
