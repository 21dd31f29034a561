"""Looking for what users wrote in what a pipeline makes of their lines.

Each ``MARK`` of a stream's pipeline tests stands where users' words are; it becomes a mark of its own, and whole
documents are searched for it. Accidents are those that happen to files.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from kibana_assets.package.streams import Stream
from tests.counterparts.elasticsearch import Node
from tests.package.case import cases
from tests.package.simulate import simulate

Accident = Callable[[str, list[str], int, random.Random], str]
"""The text, its lines and the number of one of them → what became of it."""
COLOURS = ("\x1b[36m", "\x1b[0m", "\x1b[1;31m")


def marked(stream: Stream) -> list[str]:
    """The messages of all cases twice, each MARK another one: of one word, then of several."""
    numbers = iter(range(10**9))
    texts = [event["message"] for case in cases(stream) for event in case.events()]
    single = [re.sub("MARK", lambda _: f"qzx{next(numbers)}", text) for text in texts]
    return single + [re.sub("MARK", lambda _: f"qzx{next(numbers)} and xzq", text) for text in texts]


def mutated(text: str, dice: random.Random, accidents: Sequence[Accident]) -> str:
    """The text after one or two accidents."""
    for _ in range(dice.choice((1, 1, 2))):
        lines = text.split("\n")
        place = dice.randrange(len(lines))
        text = accidents[dice.randrange(len(accidents))](text, lines, place, dice)
    return text


def leaks(node: Node, stream: Stream, events: list[dict[str, Any]]) -> list[str]:
    """The documents that hold a mark, and what they were made from; no document is missing."""
    found: list[str] = []
    for start in range(0, len(events), 250):
        part = events[start : start + 250]
        for event, document in zip(part, simulate(node, stream.pipeline_id(), part), strict=True):
            assert document is not None, event
            assert document.get("@timestamp"), event
            assert document.get("message"), event
            written = json.dumps(document)
            if "qzx" in written or "xzq" in written:
                found.append(f"{event['message']!r}\n-> {written}")
    return found


def line_lost(_text: str, lines: list[str], place: int, _dice: random.Random) -> str:
    """Without the line."""
    return "\n".join(lines[:place] + lines[place + 1 :])


def line_twice(_text: str, lines: list[str], place: int, _dice: random.Random) -> str:
    """What is before the line, and the line, twice."""
    return "\n".join(lines[: place + 1] * 2 + lines[place + 1 :])


def lines_joined(_text: str, lines: list[str], _place: int, _dice: random.Random) -> str:
    """All on one line."""
    return " ".join(lines)


def carriage_returns(_text: str, lines: list[str], _place: int, _dice: random.Random) -> str:
    """Line ends of another system."""
    return "\r\n".join(lines)


def end_lost(text: str, _lines: list[str], _place: int, dice: random.Random) -> str:
    """Only the beginning."""
    return text[: dice.randrange(len(text) + 1)]


def start_lost(text: str, _lines: list[str], _place: int, dice: random.Random) -> str:
    """Only the end."""
    return text[dice.randrange(len(text) + 1) :]


def coloured(text: str, _lines: list[str], _place: int, dice: random.Random) -> str:
    """A colour somewhere in it."""
    where = dice.randrange(len(text) + 1)
    return text[:where] + dice.choice(COLOURS) + text[where:]


def shuffled(_text: str, lines: list[str], _place: int, dice: random.Random) -> str:
    """The lines in another order."""
    dice.shuffle(lines)
    return "\n".join(lines)
