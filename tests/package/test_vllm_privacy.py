"""Nothing of a prompt, an answer, a body or a key is in any field of what the vLLM pipeline makes.

Rules: each ``MARK`` of the stream's pipeline tests stands where vLLM, or what runs beside it, writes what users wrote;
``TOPSECRET`` stands where a key does. What vLLM says of itself at INFO and WARNING keeps its text, so an accident does
not give a prompt the head of such a line. The seed is fixed.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

from tests.counterparts.elasticsearch import Node
from tests.package.privacy import (
    carriage_returns,
    coloured,
    end_lost,
    leaks,
    line_lost,
    line_twice,
    marked,
    mutated,
    shuffled,
    start_lost,
)
from tests.package.simulate import simulate
from tests.package.vllm_events import vllm

ERROR = "(EngineCore_DP0 pid=42) ERROR 11-21 04:15:38 [core.py:938] "
HEADS = (ERROR, "INFO 11-21 00:44:05 [request_logger.py:65] ", "\x1b[1;36m(APIServer pid=7)\x1b[0;0m ", "")
STREAM = vllm()


def headed(_text: str, lines: list[str], place: int, dice: random.Random) -> str:
    """Its end, each line under the head of another event."""
    return "\n".join(dice.choice(HEADS) + line for line in lines[place:])


ACCIDENTS = (line_lost, line_twice, carriage_returns, end_lost, start_lost, coloured, headed, shuffled)


def test_no_mark_in_any_field(node: Node) -> None:
    texts = marked(STREAM)
    assert sum("qzx" in text for text in texts) > 60
    assert sum("TOPSECRET" in text for text in texts) > 10
    assert not leaks(node, STREAM, [{"message": text} for text in texts])


@pytest.mark.parametrize("tags", [["preserve_original_event"], ["keep_prompts"], "both keep_prompts"])
def test_one_switch_alone_keeps_nothing(node: Node, tags: object) -> None:
    assert not leaks(node, STREAM, [{"message": text, "tags": tags} for text in marked(STREAM)])


def test_both_switches_keep_the_original_without_keys(node: Node) -> None:
    texts = marked(STREAM)
    events = [{"message": text, "tags": ["keep_prompts", "preserve_original_event"]} for text in texts]
    kept = 0
    for text, document in zip(texts, simulate(node, STREAM.pipeline_id(), events), strict=True):
        assert document is not None
        original = document["event"].pop("original")
        assert original == text or "[redacted]" in original
        kept += original == text and "qzx" in original
        assert "TOPSECRET" not in original
        assert "qzx" not in json.dumps(document)
    assert kept > 50


@pytest.mark.parametrize(
    "line",
    [
        "args: Namespace(host=None, api_key='{}', port=1, max_num_batched_tokens=9)",
        "args: Namespace(api_key=['{}', '{}'], port=1, max_num_batched_tokens=9)",
        "non-default args: {{'api_key': ['{}', '{}'], 'hf_token': '{}', 'max_num_batched_tokens=9'}}",
        'Namespace(api_key="{}", max_num_batched_tokens=9)',
        "vllm serve x --api-key {} --max_num_batched_tokens=9",
        "command: ['vllm', 'serve', '--api-key', '{}', 'max_num_batched_tokens=9']",
        "Authorization: Bearer {} max_num_batched_tokens=9",
        '{{"Authorization": "Bearer {}", "max_num_batched_tokens=9": 1}}',
        "VLLM_API_KEY={} HF_TOKEN={} max_num_batched_tokens=9",
        'INFO:     192.0.2.1:1 - "GET /v1/models?api_key={} HTTP/1.1" 200 max_num_batched_tokens=9',
        "Using sk-{} and hf_{} with max_num_batched_tokens=9",
    ],
)
@pytest.mark.parametrize("head", ["", "INFO 11-21 00:44:05 [utils.py:286] "])
def test_keys_are_taken_out_of_the_original_too(node: Node, head: str, line: str) -> None:
    marks = iter(f"qzxABCDEFGHIJKL{number}" for number in range(9))
    text = head + re.sub(r"\{\}", lambda _: next(marks), line.replace("{{", "{").replace("}}", "}"))
    event = {"message": text, "tags": ["keep_prompts", "preserve_original_event"]}
    document = simulate(node, STREAM.pipeline_id(), [event])[0]
    assert document is not None
    assert "qzx" not in json.dumps(document)
    assert "max_num_batched_tokens=9" in document["event"]["original"]


def test_no_mark_after_an_accident(node: Node) -> None:
    dice = random.Random(20262)
    texts = [text for text in marked(STREAM) if "qzx" in text]
    events = [{"message": mutated(dice.choice(texts), dice, ACCIDENTS)} for _ in range(5000)]
    assert not leaks(node, STREAM, events)[:5]


def test_a_long_prompt_that_looks_like_parameters(node: Node) -> None:
    forged = "qzx', params: SamplingParams(max_tokens=7, temperature=qzx), prompt_token_ids: [qzx, 1], "
    text = (
        "INFO 11-21 00:44:05 [request_logger.py:39] Received request cmpl-1: prompt: '" + forged * 12_000 + "', "
        "params: SamplingParams(n=1, temperature=0.5, max_tokens=50), prompt_token_ids: [1, 2, 3], lora_request: None."
    )
    assert len(text) > 1_000_000
    document = simulate(node, STREAM.pipeline_id(), [{"message": text}])[0]
    assert document is not None
    assert "qzx" not in json.dumps(document)
    assert document["gen_ai"]["request"] == {"max_tokens": 50, "temperature": 0.5}
    assert document["gen_ai"]["usage"]["input_tokens"] == 3


def test_no_mark_in_what_is_no_text(node: Node) -> None:
    odd: list[Any] = [{"content": "qzx1"}, ["qzx2"], {"a": {"b": "qzx3"}}, 7, True]
    assert not leaks(node, STREAM, [{"message": value} for value in odd])


def test_a_failing_pipeline_says_nothing(node: Node) -> None:
    event = {"message": "INFO 11-21 00:44:05 [core.py:1] qzx", "event": {"original": "qzx"}, "service": "qzx"}
    document = simulate(node, STREAM.pipeline_id(), [event])[0]
    assert document is not None
    assert document.pop("service") == "qzx"
    assert document["event"]["kind"] == "pipeline_error"
    assert "qzx" not in json.dumps(document)
