"""Nothing of a prompt, an answer, a body or a plugin's text is in any field of what the LM Studio pipeline makes.

Rules: each ``MARK`` of the stream's pipeline tests stands where LM Studio writes what users wrote. The seed is fixed.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node
from tests.package.privacy import (
    carriage_returns,
    coloured,
    end_lost,
    leaks,
    line_lost,
    line_twice,
    lines_joined,
    marked,
    mutated,
    shuffled,
)
from tests.package.simulate import simulate

HEADS = ("[2026-09-10 00:18:43][INFO] ", "2026-09-10 00:18:43 [ERROR]\n ", "[2024-03-01 10:00:00.001] [INFO] ", "")


@pytest.fixture(scope="module")
def lmstudio() -> Stream:
    return next(stream for stream in streams(load()) if stream.name == "lmstudio")


def headed(_text: str, lines: list[str], place: int, dice: random.Random) -> str:
    """Its end under the head of another event."""
    return dice.choice(HEADS) + "\n".join(lines[place:])


ACCIDENTS = (line_lost, line_twice, lines_joined, end_lost, carriage_returns, coloured, headed, shuffled)


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
    events = [{"message": mutated(dice.choice(texts), dice, ACCIDENTS)} for _ in range(5000)]
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
