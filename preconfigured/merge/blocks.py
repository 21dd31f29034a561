"""What llm-bundle wrote into a kibana.yml: blocks of whole lines between two marker comments.

Rules: a block can be taken out so that the text is the same byte for byte as if it had never been put in. The begin
marker holds a digest of the lines below it, so a change by hand is noticed. Two cases need more than whole lines: at
the end of a text without a last line break, the block has none either and the break before it is ours; and in
``{...}`` or ``[...]`` on one line, "line split" in the marker says that the breaks around the blocks are ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from preconfigured.errors import KibanaYmlError
from preconfigured.merge.source import line_start, next_line
from preconfigured.merge.tree import Document, Node, line_of

_ANY = re.compile(r"^[ \t]*#[ \t]*llm-bundle:[ \t]*(?:begin|end)\b.*$", re.MULTILINE)
_BEGIN = re.compile(
    r"( *)# llm-bundle: begin (\S+) \(written by llm-bundle, sha256 ([0-9a-f]{12})(, line split)?\)[ \t\r]*"
)
_END_LINE = re.compile(r"^ *# llm-bundle: end .*$", re.MULTILINE)
_END = re.compile(r"( *)# llm-bundle: end (\S+)[ \t\r]*")


@dataclass(frozen=True, slots=True)
class Block:
    """A block in a text, from the begin of its first line to the end of its last one."""

    name: str
    start: int
    end: int
    indent: int
    split: bool
    edited: bool
    line_break: str

    @property
    def is_connector(self) -> bool:
        """Whether it holds a connector; the names of settings have dots, ids have none."""
        return "." not in self.name


def block_text(name: str, lines: Sequence[str], indent: int, line_break: str, *, split: bool) -> str:
    """The text of a block, without a line break at its end."""
    pad = " " * indent
    more = ", line split" if split else ""
    inner = [f"{pad}{line}" if line else "" for line in lines]
    begin = f"{pad}# llm-bundle: begin {name} (written by llm-bundle, sha256 {_digest(inner, indent)}{more})"
    return line_break.join([begin, *inner, f"{pad}# llm-bundle: end {name}"])


def find(text: str, document: Document, where: str) -> tuple[Block, ...]:
    """The blocks in a text, in its order.

    Raises:
        KibanaYmlError: markers that do not pair, or a name twice; with the line.
    """
    marks = list(_ANY.finditer(text))
    if not marks:
        return ()
    # What stands in a text value only looks like a marker.
    inside = [(node.start, node.end) for node in _long_scalars(document.top, text)] if document.top else []
    marks = [mark for mark in marks if not any(start <= mark.start() < end for start, end in inside)]
    found: list[Block] = []
    while marks:
        begin = _BEGIN.fullmatch(text, marks[0].start(), marks[0].end())
        end = _END.fullmatch(text, marks[1].start(), marks[1].end()) if len(marks) > 1 else None
        if begin is None or end is None or begin[2] != end[2] or begin[2] in {block.name for block in found}:
            raise KibanaYmlError(
                f"{where}:{line_of(text, marks[0].start())}: a marker of llm-bundle without its partner, or changed",
                hint="Each block has one begin and one end marker, each once: mend them, or remove the whole block.",
            )
        found.append(_block(text, begin, end))
        marks = marks[2:]
    return tuple(found)


def _block(text: str, begin: re.Match[str], end: re.Match[str]) -> Block:
    indent = len(begin[1])
    inner = text[next_line(text, begin.end()) : end.start()].splitlines()
    edited = _digest(inner, indent) != begin[3]
    line_break = "\r\n" if begin[0].endswith("\r") else "\n"
    return Block(begin[2], begin.start(), next_line(text, end.end()), indent, begin[4] is not None, edited, line_break)


def _digest(lines: Iterable[str], indent: int) -> str:
    pad = " " * indent
    return hashlib.sha256("\n".join(line.removeprefix(pad) for line in lines).encode()).hexdigest()[:12]


def _long_scalars(node: Node, text: str) -> list[Node]:
    if node.kind == "scalar":
        return [node] if "\n" in text[node.start : node.end] else []
    inside = [part for entry in node.entries for part in (entry.key, entry.value)] + list(node.items)
    return [found for part in inside for found in _long_scalars(part, text)]


def split_until(text: str, offset: int) -> int:
    """Where the blocks end that stand one after the other from ``offset`` in a line that was split for them."""
    while (begin := _BEGIN.match(text, offset)) and begin[4] and (end := _END_LINE.search(text, offset)):
        offset = next_line(text, end.end())
    return offset


def cut(text: str, blocks: Iterable[Block]) -> tuple[str, dict[str, int]]:
    """Take blocks out of a text; also, by name, the offsets in the result at which whole-line blocks stood."""
    stood: dict[str, int] = {}
    for block in sorted(blocks, key=lambda block: -block.start):
        # The break at its end may be gone with the block that followed.
        start, end, alone = block.start, min(block.end, len(text)), False
        if end == len(text) and not text.endswith("\n"):
            start = _before_break(text, start)
        elif alone := block.split and _alone(text, block):
            start = _before_break(text, start)
            end += block.indent if text[end : end + block.indent].strip(" ") == "" else 0
        text = text[:start] + text[end:]
        stood = {name: offset - (end - start) for name, offset in stood.items()}
        if not alone:
            stood[block.name] = start
    return text, stood


def _before_break(text: str, start: int) -> int:
    """``start``, or where the line break before it begins."""
    if text[:start].endswith("\r\n"):
        return start - 2
    return max(start - 1, 0)


def _alone(text: str, block: Block) -> bool:
    """Whether no other block stands directly before or after this one in the same split line."""
    before = text[line_start(text, block.start - 1) : block.start].rstrip("\r\n")
    after = text[block.end : next_line(text, block.end)].rstrip("\r\n")
    return not _END.fullmatch(before) and not _BEGIN.fullmatch(after)
