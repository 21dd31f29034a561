"""What the pace of a stream says: events one by one, or held back on the way."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preconfigured.live import streaming
from preconfigured.live.streaming import Streamed


def event(text: str = "one, ") -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def streamed(*pieces: tuple[float, bytes]) -> list[tuple[str, str, str]]:
    return [(one.check, one.state, one.place) for one in streaming.judge(streaming.read(pieces))]


GOOD = [("stream", "ok", ""), ("first-token", "ok", "")]
HELD = [("stream", "block", "buffering"), ("first-token", "ok", "")]


def test_one_event_after_the_other_is_good() -> None:
    assert streamed(*((0.5 + at / 100, event()) for at in range(30)), (0.9, DONE)) == GOOD


def test_a_slow_start_and_a_fast_model_are_good() -> None:
    assert streamed(*((5 + at / 1000, event()) for at in range(30)), (5.1, DONE)) == GOOD


def test_all_at_once_is_held_back() -> None:
    assert streamed((2.0, event() * 30 + DONE)) == HELD


def test_in_a_few_lumps_is_held_back() -> None:
    assert streamed((0.5, event() * 10), (0.9, event() * 10), (1.3, event() * 10 + DONE)) == HELD


def test_lumps_that_arrive_in_several_reads_are_held_back() -> None:
    reads = [(2 + at / 100_000, event()) for at in range(30)]
    assert streamed(*reads, (2.0004, DONE)) == HELD


def test_too_short_to_judge() -> None:
    found = streaming.judge(streaming.read([(2.0, event() * 4 + DONE)]))
    assert [one.state for one in found] == ["ok", "ok"]
    assert "too few" in found[0].found


def test_events_cut_anywhere_are_read_whole() -> None:
    data = event() * 9 + DONE
    found = streaming.read([(at / 100, data[at : at + 1]) for at in range(len(data))])
    assert (found.events, found.done) == (9, True)


def test_a_slow_first_token_is_named() -> None:
    assert streamed((31.0, event()), (31.1, DONE))[1] == ("first-token", "warn", "model-server")


def test_reasoning_counts_as_text() -> None:
    thought = b'data: {"choices": [{"delta": {"reasoning_content": "hm"}}]}\n\n'
    assert streaming.read([(1.0, thought), (2.0, event() + DONE)]).first == 1.0


def test_an_empty_role_event_is_no_first_token() -> None:
    assert streaming.read([(1.0, event("")), (2.0, event() + DONE)]).first == 2.0


@pytest.mark.parametrize(
    ("pieces", "place"),
    [
        ([], "buffering"),
        ([(1.0, b'{"choices": [{"message": {"content": "whole"}}]}')], "buffering"),
        ([(1.0, event())], "proxy-timeout"),
        ([(1.0, event() + b'data: {"error": {"message": "EngineCore died"}}\n\n')], "model-server"),
        ([(1.0, b"data: {broken\n\n" + DONE)], "model-server"),
        ([(1.0, b"data: 7\n\n" + DONE)], "model-server"),
    ],
)
def test_streams_that_are_none(pieces: list[tuple[float, bytes]], place: str) -> None:
    (found,) = streaming.judge(streaming.read(pieces))
    assert (found.check, found.state, found.place) == ("stream", "block", place)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 9), st.binary(max_size=60)), max_size=5))
def test_whatever_streams_something_is_found(pieces: list[tuple[float, bytes]]) -> None:
    assert isinstance(streaming.read(pieces), Streamed)
    assert streaming.judge(streaming.read(pieces))
