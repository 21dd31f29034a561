"""A tree of YAML → the settings as Kibana sees them: nested and dotted keys are one.

Rules, from elastic/kibana, kbn-config/src/raw/read_config.ts: a key is split at its dots unless it stands in
[brackets]; settings are set one after the other in the order of the file, so of two spellings of one setting the later
wins, and an empty section wipes out what was set below it before. Within one mapping the last of two equal keys wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from preconfigured.check.tree import Entry, Mapping, Node, Scalar, Sequence

MOST_SETTINGS = 50_000
# Aliases and dots can make a path far longer than the file is deep.
LONGEST_PATH = 80
MOST_IN_A_LIST = 1_000


@dataclass(slots=True)
class Setting:
    """A setting: a section with ``children``, or a leaf with a ``value``; read-only once the view is built.

    ``line`` and ``column`` are those of the key that first names it. ``spellings`` says at which depths the keys of the
    file that lead here break, one tuple for each way of writing.
    """

    path: tuple[str, ...]
    line: int
    column: int
    children: dict[str, Setting] = field(default_factory=dict)
    value: Scalar | Sequence | None = None
    spellings: set[tuple[int, ...]] = field(default_factory=set)
    escaped: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path[-1] if self.path else ""

    @property
    def is_section(self) -> bool:
        """Whether it is a mapping, perhaps an empty one."""
        return self.value is None

    @property
    def text(self) -> str | None:
        """The text of a scalar that is text; None for anything else."""
        return self.value.text if isinstance(self.value, Scalar) and self.value.kind == "text" else None

    def get(self, *path: str) -> Setting | None:
        """The setting below this one, or None."""
        found: Setting | None = self
        for name in path:
            found = found.children.get(name) if found else None
        return found

    def walk(self) -> Iterator[Setting]:
        """This setting and all below it."""
        yield self
        for child in self.children.values():
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A setting of which the file's later spelling silently replaces the earlier one in ``first_line``."""

    path: tuple[str, ...]
    line: int
    column: int
    first_line: int


@dataclass(frozen=True, slots=True)
class View:
    """The settings of a file, and those that overwrite each other; ``whole`` is false where there were too many."""

    root: Setting
    overwritten: tuple[Overwritten, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: tuple[str, ...]
    breaks: tuple[int, ...]
    places: tuple[tuple[int, int], ...]
    escaped: frozenset[int]
    value: Scalar | Sequence | None


def view_of(root: Node | None, *, first: bool = False) -> View:
    """The settings of a document; one that is no mapping has none. ``first``: the first of two equal keys wins."""
    top = Setting((), 1, 1)
    overwritten: list[Overwritten] = []
    for count, leaf in enumerate(_leaves(root, _Leaf((), (), (), frozenset(), None), first), 1):
        if count > MOST_SETTINGS or len(leaf.path) > LONGEST_PATH:
            return View(top, tuple(overwritten), whole=False)
        _set(top, leaf, overwritten)
    return View(top, tuple(overwritten), whole=True)


def below(setting: Setting, node: Mapping, index: int) -> Setting:
    """A mapping in a list as a setting of its own; its keys are split as well."""
    top = Setting(setting.path, node.line, node.column)
    ignored: list[Overwritten] = []
    for _, leaf in zip(range(MOST_IN_A_LIST), _leaves(node, _Leaf((), (), (), frozenset(), None)), strict=False):
        if len(leaf.path) <= LONGEST_PATH:
            _set(top, leaf, ignored)
    _prefix(top, (*setting.path[:-1], f"{setting.name}[{index}]"))
    return top


def split(key: str) -> tuple[str, ...]:
    """The parts of a key."""
    if is_escaped(key):
        return (key[1:-1],)
    return tuple(key.split("."))


def is_escaped(key: str) -> bool:
    """Whether a key stands in [brackets], which keeps its dots."""
    return len(key) >= 2 and key.startswith("[") and key.endswith("]")


def _prefix(setting: Setting, path: tuple[str, ...]) -> None:
    setting.path = path
    for name, child in setting.children.items():
        _prefix(child, (*path, name))


def _leaves(node: Node | None, at: _Leaf, first: bool = False) -> Iterator[_Leaf]:
    if isinstance(node, Mapping) and node.entries and len(at.path) <= LONGEST_PATH:
        chosen = {entry.key: entry for entry in (reversed(node.entries) if first else node.entries)}
        for entry in node.entries:
            if chosen[entry.key] is entry:
                yield from _leaves(entry.value, _step(at, entry), first)
    elif at.path:
        value = None if isinstance(node, Mapping) else node
        yield _Leaf(at.path, at.breaks, at.places, at.escaped, value)


def _step(at: _Leaf, entry: Entry) -> _Leaf:
    parts = split(entry.key)
    path = at.path + parts
    places = at.places + ((entry.line, entry.column),) * len(parts)
    escaped = at.escaped | {len(path)} if is_escaped(entry.key) else at.escaped
    return _Leaf(path, (*at.breaks, len(path)), places, escaped, None)


def _set(top: Setting, leaf: _Leaf, overwritten: list[Overwritten]) -> None:
    at = top
    depth = len(leaf.path)
    for index, name in enumerate(leaf.path, 1):
        child = at.children.get(name)
        last = index == depth
        if child is not None and (last or child.value is not None):
            _note(child, leaf, index, overwritten)
            child = None if last or child.value is not None else child
        if child is None:
            line, column = leaf.places[index - 1]
            child = at.children[name] = Setting(leaf.path[:index], line, column, escaped=index in leaf.escaped)
        child.spellings.add(tuple(stop for stop in leaf.breaks if stop <= index))
        at = child
    at.value = leaf.value


def _note(child: Setting, leaf: _Leaf, index: int, overwritten: list[Overwritten]) -> None:
    # An empty section that is filled later loses nothing.
    if child.is_section and not child.children:
        return
    overwritten.append(Overwritten(child.path, *leaf.places[index - 1], child.line))
