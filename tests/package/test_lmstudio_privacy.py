"""Nothing of a prompt, an answer, a body or a plugin's text is in any field of what the LM Studio pipeline makes.

Rules: each ``MARK`` of the stream's pipeline tests stands where LM Studio writes what users wrote; it becomes a mark of
its own, and the whole document is searched for it. Mutations are those that happen to files: lines lost, doubled or
joined, cuts, carriage returns, colours, other heads. The seed is fixed.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node
from tests.package.case import cases
from tests.package.simulate import simulate

HEADS = ("[2026-09-10 00:18:43][INFO] ", "2026-09-10 00:18:43 [ERROR]\n ", "[2024-03-01 10:00:00.001] [INFO] ", "")
COLOURS = ("\x1b[36m", "\x1b[0m", "\x1b[1;31m")


@pytest.fixture(scope="module")
def lmstudio() -> Stream:
    return next(stream for stream in streams(load()) if stream.name == "lmstudio")


def marked(stream: Stream) -> list[str]:
    """The messages of all cases twice, each MARK another one: of one word, then of several."""
    numbers = iter(range(10**9))
    texts = [event["message"] for case in cases(stream) for event in case.events()]
    single = [re.sub("MARK", lambda _: f"qzx{next(numbers)}", text) for text in texts]
    return single + [re.sub("MARK", lambda _: f"qzx{next(numbers)} and xzq", text) for text in texts]


def mutated(text: str, dice: random.Random) -> str:
    """The text after one or two accidents."""
    for _ in range(dice.choice((1, 1, 2))):
        lines = text.split("\n")
        place = dice.randrange(len(lines))
        accident = dice.randrange(8)
        if accident == 0:
            text = "\n".join(lines[:place] + lines[place + 1 :])
        elif accident == 1:
            text = "\n".join(lines[: place + 1] * 2 + lines[place + 1 :])
        elif accident == 2:
            text = " ".join(lines)
        elif accident == 3:
            text = text[: dice.randrange(len(text) + 1)]
        elif accident == 4:
            text = "\r\n".join(lines)
        elif accident == 5:
            where = dice.randrange(len(text) + 1)
            text = text[:where] + dice.choice(COLOURS) + text[where:]
        elif accident == 6:
            text = dice.choice(HEADS) + "\n".join(lines[place:])
        else:
            dice.shuffle(lines)
            text = "\n".join(lines)
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


def test_no_mark_in_any_field(node: Node, lmstudio: Stream) -> None:
    texts = marked(lmstudio)
    assert sum("qzx" in text for text in texts) > 70
    assert not leaks(node, lmstudio, [{"message": text} for text in texts])


@pytest.mark.parametrize(
    "tags", [["preserve_original_event"], ["keep_prompts"], "preserve_original_event keep_prompts"]
)
def test_one_switch_alone_keeps_nothing(node: Node, lmstudio: Stream, tags: object) -> None:
    assert not leaks(node, lmstudio, [{"message": text, "tags": tags} for text in marked(lmstudio)])


def test_both_switches_keep_the_original_and_nothing_else(node: Node, lmstudio: Stream) -> None:
    texts = marked(lmstudio)
    events = [{"message": text, "tags": ["keep_prompts", "preserve_original_event"]} for text in texts]
    for text, document in zip(texts, simulate(node, lmstudio.pipeline_id(), events), strict=True):
        assert document is not None
        assert document["event"].pop("original") == text
        assert "qzx" not in json.dumps(document)


def test_no_mark_after_an_accident(node: Node, lmstudio: Stream) -> None:
    dice = random.Random(20261)
    texts = marked(lmstudio)
    events = [{"message": mutated(dice.choice(texts), dice)} for _ in range(5000)]
    assert not leaks(node, lmstudio, events)[:5]


def test_no_mark_in_long_lines_of_the_log_stream(node: Node, lmstudio: Stream) -> None:
    """Only the ends of such a line are read; what looks like a line break or a key there is text of a prompt."""
    texts = []
    for shift in range(40):
        forged = 'qzx\n  "model": "qzx",\n  "stream": true \\n  "model": "qzx", ' + "\\" * shift + '\n  "model": "qzx",'
        body = {"messages": [{"content": "y" * shift + forged * 20}] * 80, "model": "good", "stream": False}
        head = "[2026-08-09 05:34:39][DEBUG] Received request: POST to /v1/chat/completions with body "
        log = {"type": "server.log", "content": head + json.dumps(body, indent=2), "level": "debug"}
        output = {"type": "llm.prediction.output", "output": forged * 900 + '"modelIdentifier":"qzx"', "stats": {}}
        for data in (log, {**output, "modelIdentifier": "good"}):
            texts.append(json.dumps({"timestamp": 1786253679911, "data": data}, separators=(",", ":")))
    assert min(map(len, texts)) > 65536
    assert not leaks(node, lmstudio, [{"message": text} for text in texts])[:1]
    whole, _ = (simulate(node, lmstudio.pipeline_id(), [{"message": text}])[0] for text in texts[:2])
    assert whole is not None
    assert whole["gen_ai"]["request"]["model"] == "good"
    assert whole["local_llm"]["lmstudio"]["streaming"] is False


def test_no_mark_in_what_is_no_text(node: Node, lmstudio: Stream) -> None:
    odd: list[Any] = [{"content": "qzx1"}, ["qzx2"], {"a": {"b": "qzx3"}}]
    assert not leaks(node, lmstudio, [{"message": value} for value in odd])


def test_a_failing_pipeline_says_nothing(node: Node, lmstudio: Stream) -> None:
    event = {"message": "[2026-09-10 00:18:43][INFO] qzx", "event": {"original": "qzx"}, "service": "qzx"}
    document = simulate(node, lmstudio.pipeline_id(), [event])[0]
    assert document is not None
    assert document.pop("service") == "qzx"
    assert document["event"]["kind"] == "pipeline_error"
    assert "qzx" not in json.dumps(document)
