"""Putting blocks into a text, and taking the place of what stands in the way.

Rules: a block that stood in a text before is put where it stood, if that is still a place for it, so that a second
run changes nothing. Nothing else of the text changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from preconfigured.merge.blocks import Block, block_text
from preconfigured.merge.containers import Container, Text, after, children
from preconfigured.merge.index import Place
from preconfigured.merge.plan import Plan
from preconfigured.merge.source import line_break, line_start


def insert(base: Text, plans: Sequence[Plan], stood: Mapping[str, int], ours: Sequence[Block]) -> str:
    """The text with the lines of all plans in it; ``ours`` are the blocks which stood there before, in their order."""
    rank = {block.name: position for position, block in enumerate(ours)}
    breaks = {block.name: block.line_break for block in ours}
    placed: dict[int, list[tuple[Plan, Container]]] = {}
    for plan in sorted(plans, key=lambda plan: rank.get(plan.wish.name, len(rank))):
        if plan.into is not None:
            placed.setdefault(_offset(base, plan.into, stood.get(plan.wish.name)), []).append((plan, plan.into))
    for here in placed.values():
        # Where several mappings end in one place, the innermost one goes on first.
        here.sort(key=lambda pair: -pair[1].depth)
    text = base.text
    for offset in sorted(placed, reverse=True):
        text = text[:offset] + _text(base.text, offset, placed[offset], breaks) + text[offset:]
    return text


def _offset(base: Text, into: Container, stood: int | None) -> int:
    if stood is None or into.form not in {"block", "joining"} or not into.first <= stood <= into.limit:
        return into.offset
    is_line = stood == len(base.text) or line_start(base.text, stood) == stood
    inside = any(start < stood < end for start, end in children(into.node))
    return stood if is_line and not inside else into.offset


def _text(text: str, offset: int, here: Sequence[tuple[Plan, Container]], breaks: Mapping[str, str]) -> str:
    newline = next((breaks[plan.wish.name] for plan, _ in here if plan.wish.name in breaks), line_break(text, offset))
    blocks = [
        block_text(plan.wish.name, plan.lines, into.indent, newline, split=into.form in {"split", "joining"})
        for plan, into in here
    ]
    if here[0][1].form == "split":
        return newline + newline.join(blocks) + newline + " " * here[0][1].indent
    if offset == len(text) and text and not text.endswith("\n"):
        return "".join(newline + block for block in blocks)
    return "".join(block + newline for block in blocks)


def delete(base: Text, found: Sequence[Place], stood: Mapping[str, int]) -> tuple[str, dict[str, int]]:
    """The text without the lines of these settings; also where the blocks of ours belong in it.

    Raises:
        KibanaYmlError: one does not stand in lines of its own.
    """
    text, moved = base.text, dict(stood)
    for place in sorted(found, key=lambda place: -place.entry.key.start):
        start, end = _lines(base, place)
        text = text[:start] + text[end:]
        moved = {name: offset - max(0, min(offset, end) - start) for name, offset in moved.items()}
    return text, moved


def _lines(base: Text, place: Place) -> tuple[int, int]:
    text, key, value = base.text, place.entry.key, place.entry.value
    start, end = line_start(text, key.start), after(text, value.end)
    rest = text[value.end : end].strip(" \t\r\n")
    if place.parent.flow or text[start : key.start].strip(" ") or (rest and not rest.startswith("#")):
        message = f"{'.'.join(place.path)} does not stand in lines of its own, so it cannot be replaced"
        raise base.refuse(key.start, message, "Remove it by hand, then run this again.")
    return start, end
