"""What a wish means for a given kibana.yml: lines to put in, or nothing because it is there already, or a refusal.

Rules: a value that stands there and is another one is never changed here; a note says so. A connector's id that is
taken is refused. The text is one without those blocks of ours that are wished for now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from preconfigured.connectors import Note
from preconfigured.errors import KibanaYmlError
from preconfigured.merge.compare import same_item, same_origin, same_scalar
from preconfigured.merge.containers import Container, Text, container
from preconfigured.merge.index import Path, Place, segments
from preconfigured.merge.tree import Node, line_of
from preconfigured.merge.wishes import Wish
from preconfigured.yaml_text import Entry, Items, Scalar, Value, comment, items, mapping, scalar


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do for one wish. ``lines`` have no indentation; ``proof`` says which values must hold afterwards."""

    wish: Wish
    lines: tuple[str, ...] = ()
    into: Container | None = None
    notes: tuple[Note, ...] = ()
    proof: tuple[tuple[Path, Value], ...] = ()


def plan(base: Text, wish: Wish, earlier: Items) -> Plan:
    """Plan one wish; ``earlier`` are the items that our block of that name has in its list now.

    Raises:
        KibanaYmlError: an id that is taken, or a place that cannot be written to; with the line.
    """
    if wish.kind == "connector":
        return _connector(base, wish)
    if wish.kind == "list":
        return _list(base, wish, earlier)
    return _settings(base, wish)


def conflicts(base: Text, wish: Wish) -> tuple[Place, ...]:
    """What stands in the way of a wish: the connector under its id, or the settings with other values."""
    if wish.kind == "list":
        return ()
    if wish.kind == "connector":
        return _outermost([place for place in base.places if place.path[: len(wish.path)] == wish.path])
    found = [place for path, value in _values(wish) for place in _others(base, path, value)]
    return _outermost(found)


def _outermost(found: Sequence[Place]) -> tuple[Place, ...]:
    spans = [(place.entry.key.start, place.entry.value.end) for place in found]
    return tuple(p for p in found if not any(start < p.entry.key.start < end for start, end in spans))


def _others(base: Text, path: Path, value: Scalar) -> list[Place]:
    found = [place for place in base.places if place.path[: len(path)] == path]
    return [place for place in found if place.path != path or not same_scalar(place.entry.value, value)]


def _values(wish: Wish) -> Iterator[tuple[Path, Scalar]]:
    for entry in _children(wish):
        assert not isinstance(entry.value, (tuple, Items))
        yield (*_parent(wish), *segments(entry.key)), entry.value


def _children(wish: Wish) -> tuple[Entry, ...]:
    if wish.kind == "settings" and isinstance(wish.value, tuple):
        return wish.value
    return (Entry(wish.path[-1], wish.value),)


def _parent(wish: Wish) -> Path:
    return wish.path if wish.kind == "settings" else wish.path[:-1]


def _connector(base: Text, wish: Wish) -> Plan:
    taken = conflicts(base, wish)
    if taken:
        message = f"a connector {wish.name!r} stands here that llm-bundle did not write"
        hint = "Give ours another id, or let ours take its place: --replace"
        raise base.refuse(taken[0].entry.key.start, message, hint)
    into = container(base, wish.path)
    key = ".".join(wish.path[into.depth :])
    lines = wish.lines(key) if into.form == "block" else [f"{scalar(key)}: {flow(wish.value)},"]
    return Plan(wish, tuple(lines), into, proof=((wish.path, wish.value),))


def _settings(base: Text, wish: Wish) -> Plan:
    notes, missing, proof = [], [], []
    for entry, (path, value) in zip(_children(wish), _values(wish), strict=True):
        others = _others(base, path, value)
        if others:
            notes.append(_left(base, others[0], value))
            continue
        proof.append((path, value))
        if not any(place.path == path for place in base.places):
            missing.append(entry)
    if not missing:
        return Plan(wish, notes=tuple(notes), proof=tuple(proof))
    into = container(base, (*_parent(wish), ""))
    lines = _setting_lines(wish, tuple(missing), into)
    return Plan(wish, tuple(lines), into, tuple(notes), tuple(proof))


def _setting_lines(wish: Wish, missing: tuple[Entry, ...], into: Container) -> Iterator[str]:
    yield from comment(wish.comment) if wish.comment else ()
    if into.depth < len(_parent(wish)):
        key = ".".join(wish.path[into.depth :])
        missing = (Entry(key, missing if wish.kind == "settings" else wish.value),)
    if into.form == "block":
        yield from mapping(missing)
    else:
        yield from (f"{scalar(entry.key)}: {flow(entry.value)}," for entry in missing)


def _left(base: Text, place: Place, wanted: Scalar) -> Note:
    name, line = ".".join(place.path), line_of(base.text, place.entry.key.start)
    found = place.entry.value.text[:80] if place.entry.value.kind == "scalar" else f"a {place.entry.value.kind}"
    return Note(name, f"left as it is in line {line} ({found}); {scalar(wanted)} was wanted: --replace takes that")


def _list(base: Text, wish: Wish, earlier: Items) -> Plan:
    assert isinstance(wish.value, Items)
    if any(place.path[: len(wish.path)] == wish.path and len(place.path) > len(wish.path) for place in base.places):
        raise _no_list(base, wish)
    into = container(base, wish.path, lists=True)
    there = into.depth == len(wish.path)
    if wish.only_there and not earlier.values and not (there and into.node and into.node.kind == "sequence"):
        return Plan(wish)
    found = into.node.items if there and into.node else ()
    if any(item.kind == "scalar" and item.text == "*" for item in found):
        note = Note(wish.name, "left as it is: '*' stands there, so nothing is blocked")
        return Plan(wish, notes=() if wish.only_there else (note,))
    missing, left = _missing(found, _together(earlier, wish.value))
    notes = tuple(Note(wish.name, f"left as it is: {what} stands there with other values") for what in left)
    proof = ((wish.path, missing),)
    if not missing.values:
        return Plan(wish, notes=notes)
    return Plan(wish, tuple(_list_lines(wish, missing, into, there=there)), into, notes, proof)


def _no_list(base: Text, wish: Wish) -> KibanaYmlError:
    place = next(place for place in base.places if place.path[: len(wish.path)] == wish.path)
    message = f"{wish.name}: expected a list"
    return base.refuse(place.entry.key.start, message, "Write it as a list, each item after '- '.")


def _list_lines(wish: Wish, missing: Items, into: Container, *, there: bool) -> Iterator[str]:
    yield from comment(wish.comment) if wish.comment else ()
    key = ".".join(wish.path[into.depth :])
    if not there:
        yield from mapping([Entry(key, missing)]) if into.form == "block" else [f"{scalar(key)}: {flow(missing)},"]
    elif into.form == "block":
        yield from items(missing, 0)
    else:
        yield from (f"{flow(item)}," for item in missing.values)


def _together(earlier: Items, wanted: Items) -> Items:
    """What our block has and what is wanted, each host once; what is wanted now replaces what was."""
    newer = {_name(item): item for item in wanted.values}
    older = {_name(item): newer.get(_name(item), item) for item in earlier.values}
    return Items(tuple({**older, **newer}.values()))


def _name(item: str | tuple[Entry, ...]) -> str:
    if isinstance(item, str):
        return item
    return next((str(entry.value) for entry in item if entry.key == "url"), "")


def _missing(found: Sequence[Node], wanted: Items) -> tuple[Items, list[str]]:
    """Of ``wanted`` what is not in a list, and what is there with other values."""
    missing, left = [], []
    for item in wanted.values:
        if any(same_item(node, item) for node in found):
            continue
        if not isinstance(item, str) and any(same_origin(_url(node), _name(item)) for node in found):
            left.append(_name(item))
        else:
            missing.append(item)
    return Items(tuple(missing)), left


def _url(node: Node) -> str:
    return next((entry.value.text for entry in node.entries if entry.key.text == "url"), "")


def flow(value: Value) -> str:
    """A value on one line, as it stands inside ``{...}`` or ``[...]``."""
    if isinstance(value, Items):
        return f"[{', '.join(map(flow, value.values))}]"
    if isinstance(value, tuple):
        return "{" + ", ".join(f"{scalar(entry.key)}: {flow(entry.value)}" for entry in value) + "}"
    return scalar(value)
