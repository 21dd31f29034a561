"""Where in a kibana.yml something can be put in: the mapping or list that holds things of its kind already.

Rules: the deepest mapping there is, in whichever spelling; the top of the file where there is none. What is shared by
anchors, aliases or merge keys is not touched, because a change there would be one elsewhere too. Things are put at the
end of a block and behind the comments that belong to it (before a text block that has no last line break), and at the
begin of ``{...}`` and ``[...]``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from preconfigured.errors import KibanaYmlError
from preconfigured.merge.blocks import split_until
from preconfigured.merge.index import Path, Place
from preconfigured.merge.source import line_start, next_line
from preconfigured.merge.tree import Document, Node, line_of

_STEP = 2
_COMMENT = re.compile(r"( *)#")
_OTHERS_COMMENT = re.compile(r" *#(?![ \t]*llm-bundle:)")
_REST = re.compile(r"[ \t]*(?:[ \t]#[^\n]*)?\r?\n")

# In what follows "{" or "[" on its line: whole lines; lines that begin where the line is split now, or was before.
Form = Literal["block", "flow", "split", "joining"]


@dataclass(frozen=True, slots=True)
class Container:
    """A mapping or list to put things into: ``depth`` parts of the path are its own, ``offset`` is where they go.

    ``first`` and ``limit`` bound the offsets at which a block would be inside as well; ``node`` is None for the top of
    a file without settings, and empty for a key without a value.
    """

    depth: int
    form: Form
    offset: int
    indent: int
    first: int
    limit: int
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its tree and its settings."""

    where: str
    text: str
    document: Document
    places: tuple[Place, ...]

    def refuse(self, offset: int, message: str, hint: str) -> KibanaYmlError:
        """The refusal of something at an offset."""
        return KibanaYmlError(f"{self.where}:{line_of(self.text, offset)}: {message}", hint=hint)


def container(base: Text, path: Path, *, lists: bool = False) -> Container:
    """Where ``path`` is to be written; with ``lists`` the list at ``path`` itself, if there is one.

    Raises:
        KibanaYmlError: what stands above the path is not to be written into.
    """
    longest = len(path) if lists else len(path) - 1
    above = [place for place in base.places if len(place.path) <= longest and path[: len(place.path)] == place.path]
    top = base.document.top
    if top is not None:
        _check(base, top, "the whole file", is_list=False)
    for place in above:
        is_list = lists and place.path == path
        _check(base, place.entry.value, ".".join(place.path), is_list=is_list)
    if not above:
        return _top(base)
    deepest = max(len(place.path) for place in above)
    found = [place for place in above if len(place.path) == deepest]
    if lists and deepest == len(path) and len(found) > 1:
        lines = " and ".join(str(line_of(base.text, place.entry.key.start)) for place in found)
        message = f"{'.'.join(path)} is written twice, in lines {lines}"
        raise base.refuse(found[1].entry.key.start, message, "Kibana mixes the two lists: make them one.")
    return _inside(base, found[-1])


def _check(base: Text, node: Node, name: str, *, is_list: bool) -> None:
    wanted = "sequence" if is_list else "mapping"
    shared = node.mark is not None or node.tag is not None or any(entry.key.text == "<<" for entry in node.entries)
    if node.kind == "alias" or shared:
        message = f"{name} is shared or typed (& * << !), and something is to be put into it"
        raise base.refuse(node.start, message, "Write it out here, without anchor, alias, merge key and tag.")
    if node.kind != wanted and not (node.empty and node.text == ""):
        found = "null" if node.empty else f"a {node.kind}"
        hint = "Remove that value, or mend it; Kibana reads something else there than meant."
        raise base.refuse(node.start, f"{name}: expected a {wanted}, found {found}", hint)


def _top(base: Text) -> Container:
    document, text = base.document, base.text
    if document.top is not None and document.top.flow:
        return _flow(base, document.top, 0)
    if document.top is not None and text[line_start(text, document.top.start) : document.top.start].strip(" "):
        message = "the first setting does not begin its line"
        raise base.refuse(document.top.start, message, "Begin it in a line of its own, without '? ' before it.")
    indent = document.top.start - line_start(text, document.top.start) if document.top is not None else 0
    first = next_line(text, document.begin) if document.begin else 0
    end = max(document.end, first)
    return Container(0, "block", _whole(base, document.top, end), indent, min(first, end), end, document.top)


def _inside(base: Text, place: Place) -> Container:
    text, key, node, depth = base.text, place.entry.key, place.entry.value, len(place.path)
    if node.flow:
        return _flow(base, node, depth)
    begin = line_start(text, key.start)
    if place.parent.flow or text[begin : key.start].strip(" "):
        message = f"{'.'.join(place.path)} does not begin its line, and something is to be put below it"
        raise base.refuse(key.start, message, "Write it as a block: the key in a line of its own.")
    column = key.start - begin
    first = next_line(text, key.start)
    end = after(text, node.end)
    while end < len(text) and (comment := _COMMENT.match(text, end)) and len(comment[1]) > column:
        end = next_line(text, end)
    indent = node.start - line_start(text, node.start) if not node.empty else column + _STEP
    return Container(depth, "block", _whole(base, node, end), indent, first, max(node.limit, end), node)


def _whole(base: Text, node: Node | None, end: int) -> int:
    """``end``, or before the last thing inside: a text block without a last line break would get one with ours."""
    text = base.text
    if node is None or end < len(text) or text.endswith("\n") or not _ends_in_text_block(node):
        return end
    begin = line_start(text, max(start for start, _ in children(node)))
    while begin > 0 and _OTHERS_COMMENT.match(text, line_start(text, begin - 1)):
        begin = line_start(text, begin - 1)
    return begin


def _ends_in_text_block(node: Node) -> bool:
    while node.entries or node.items:
        node = node.entries[-1].value if node.entries else node.items[-1]
    return node.style in {"|", ">"}


def after(text: str, end: int) -> int:
    """The begin of the line after what ends at ``end``; a block scalar ends at the begin of a line already."""
    return end if text[end - 1 : end] == "\n" else next_line(text, end)


def _flow(base: Text, node: Node, depth: int) -> Container:
    text = base.text
    indent = _column_of_block(base, node) + _STEP
    if rest := _REST.match(text, node.inner):
        end = split_until(text, rest.end())
        return Container(depth, "joining" if end > rest.end() else "flow", end, indent, rest.end(), end, node)
    return Container(depth, "split", node.inner, indent, node.inner, node.inner, node)


def _column_of_block(base: Text, node: Node) -> int:
    """The column of the key of the block that a flow collection is part of: that stays when its line is split."""
    for place in base.places:
        value = place.entry.value
        if value.flow and not place.parent.flow and value.start <= node.start < value.end:
            return place.entry.key.start - line_start(base.text, place.entry.key.start)
    return 0


def children(node: Node | None) -> Sequence[tuple[int, int]]:
    """From where to where each thing inside a mapping or list reaches."""
    if node is None:
        return ()
    entries = [(entry.key.start, entry.value.end) for entry in node.entries]
    return [*entries, *((item.start, item.end) for item in node.items)]
