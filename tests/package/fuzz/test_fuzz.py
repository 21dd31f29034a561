"""Thousands of lines that no program should write, through every pipeline, into data streams of our templates.

Rules: the lines are the same in every run. A document that is refused, lost, without a time, or at which a processor
failed is shown whole; there is nothing to shrink, since each line stands for itself. On the newer Elasticsearch these
are over 20,000, each another one, on the older one a part.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import VERSIONS, Node, chosen
from tests.counterparts.filestream import decoded
from tests.package.fuzz import lines, metrics
from tests.package.fuzz.lines import samples
from tests.package.fuzz.target import Target
from tests.package.store import install_templates, remove

STREAMS = list(streams(load()))
FILES = [one for one in STREAMS if one.manifest["streams"][0]["input"] == "filestream"]
METRICS = [one for one in STREAMS if one not in FILES]
EACH, WANTED, MOST = 100, {"9": 4200, "8": 1000}, 1 << 20
ZONED = {one.name for one in FILES if "tz_offset" in load().text(f"{one.path}/agent/stream/stream.yml.hbs")}
TAGS: tuple[list[str], ...] = ([], ["preserve_original_event"], ["preserve_original_event", "keep_prompts"])
ZONES = ("local", "+02:00", "Europe/Berlin", "Mars/Phobos", "")
START = datetime(2026, 11, 21, tzinfo=timezone.utc)


@pytest.fixture
def target(stream: Stream, node: Node) -> Iterator[Target]:
    """A data stream of its own for each."""
    chosen(next(version for version in VERSIONS if version[0] == node.version[0]))
    name = stream.data_stream(f"fuzz{secrets.token_hex(4)}")
    made = install_templates(node, stream, read_fields(load(), stream, ecs()), name)
    before = typed(made.mapping())
    yield Target(node, stream, name)
    grown = typed(made.mapping()) - before
    remove(node, name)
    assert grown == set(), "what stands in lines has become fields"


def test_they_are_twenty_thousand() -> None:
    assert WANTED["9"] * len(FILES) >= 20_000


@pytest.mark.parametrize("stream", FILES, ids=lambda stream: stream.name)
def test_no_line_is_lost(target: Target) -> None:
    wanted = WANTED[target.node.version[0]]
    known: set[bytes] = set()

    @quiet(2 * wanted // EACH)
    @given(lines.batches(target.stream, EACH), st.sampled_from(TAGS), st.sampled_from(ZONES))
    def send(batch: list[bytes], tags: list[str], zone: str) -> None:
        fresh = [] if len(known) >= wanted else list(set(batch) - known)
        known.update(fresh)
        target.send([event(target.stream, line, tags, zone) for line in sorted(fresh)])

    send()
    target.finish()
    assert target.sent == len(known) >= wanted


@pytest.mark.parametrize("stream", METRICS, ids=lambda stream: stream.name)
def test_no_scrape_is_lost(target: Target) -> None:
    count = WANTED[target.node.version[0]] // EACH // 3

    @quiet(count)
    @given(metrics.batches(target.stream, EACH))
    def send(batch: list[dict[str, Any]]) -> None:
        times = (START + timedelta(seconds=target.sent + number) for number in range(len(batch)))
        target.send([{**one, "@timestamp": time.isoformat()} for one, time in zip(batch, times, strict=True)])

    send()
    target.finish()
    assert target.sent >= EACH * count


@pytest.mark.parametrize("stream", FILES, ids=lambda stream: stream.name)
def test_a_megabyte_is_a_line_too(target: Target) -> None:
    known = samples(target.stream)
    first = known[0]
    middle = len(first) // 2
    for piece in (
        b"x",
        b" ",
        b"[",
        b'"',
        b"\\",
        b": ",
        b"\n",
        b"\x1b[1m",
        b"\xf0\x9f\x98\x80",
        b"a=1 ",
        b"\x00",
        b"{\n  ",
    ):
        large = piece * (MOST // len(piece))
        batch = [large, first + large, first[:middle] + large + first[middle:], b'{"timestamp": "' + large + b'"}']
        target.check([event(target.stream, line, TAGS[2], "local") for line in batch])


@pytest.mark.parametrize("stream", FILES, ids=lambda stream: stream.name)
def test_nothing_and_almost_nothing(target: Target) -> None:
    texts = ["", " ", "\x00", "\ufeff", "\ufffd" * 9, "-", "{", "{}", "[]", "null", "0", '""', "\u2028", "\U0001f600"]
    target.check([{**event(target.stream, b"", [], "local"), "message": text} for text in texts])
    bare = {"@timestamp": "2026-11-21T12:00:00.000Z"}
    target.check([bare, {**bare, "message": "x", "tags": "preserve_original_event"}, {"message": "no time"}])


def quiet(count: int) -> settings:
    """``count`` examples, the same in every run, at any speed."""
    return settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=count,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def event(stream: Stream, line: bytes, tags: list[str], zone: str) -> dict[str, Any]:
    """A line as an agent sends it, who says the zone only where the template tells him to."""
    made: dict[str, Any] = {
        "@timestamp": "2026-11-21T12:00:00.000Z",
        "message": decoded(line, MOST),
        "log": {"offset": 0, "file": {"path": "/x.log", "fingerprint": "f"}},
        "input": {"type": "filestream"},
        "tags": ["forwarded", *tags],
    }
    if stream.name in ZONED:
        made |= {"event": {"timezone": "+01:00"}, "_conf": {"tz_offset": zone}}
    return made


def typed(mapping: dict[str, Any], above: str = "") -> set[str]:
    """The fields of a mapping."""
    found = set()
    for name, entry in mapping.get("properties", {}).items():
        found |= {f"{above}{name}"} if "type" in entry else set()
        found |= typed(entry, f"{above}{name}.")
    return found
