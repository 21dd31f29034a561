"""Lines that no program should write, as bytes: noise, and samples of a stream that something happened to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

from kibana_assets.package.streams import Stream
from tests.package.case import cases

_LONGEST: Final = 6000
_DEEP: Final = 1500
# Where a number stood, and words that something reads.
NUMBERS: Final = (
    b"0", b"-1", b"-0.0", b"1e308", b"1e309", b"-1e-400", b"9" * 19, b"9223372036854775808", b"9" * 400, b"NaN",
    b"Infinity", b"0x1F", b"1_000", b"007", b"\xd9\xa1\xd9\xa2", b"1,5", b"+5", b".5", b"5.", b"",
)  # fmt: skip
DATES: Final = (
    b"2999-12-31 23:59:59", b"9999-99-99 99:99:99", b"0000-00-00 00:00:00", b"+999999999-12-31T23:59:60Z",
    b"31/Feb/2026:25:61:61 +9999", b"01/Jan/10000:00:00:00 +0000", b"2026-02-30T00:00:00.000000000Z", b"12-32 24:00:60",
    b"1969-12-31 23:59:59", b"2026/13/45 99:99:99", b"253402300800000", b"-62135596800001",
)  # fmt: skip
PIECES: Final = (
    b"\x00", b"\x00" * 300, b"\xff\xfe", b"\xed\xa0\x80", b"\xc3(", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf", b"\x1b[31m",
    b"\x1b[", b"\r", b"\r\n", b"\t", b"\x7f", b"\\", b'"', b'\\"', b"'", b"{", b"}", b"[" * 200, b"]", b"(", b"${x}",
    b"%{GREEDYDATA}", b"{{{_ingest.timestamp}}}", b"?a=b&api_key=x", b"Bearer ", b"://", b"%", b"%zz%00", b"::1",
    b"[::1]:80", b"a" * 1200, b" " * 2000, b": " * 300, b", " * 300, b"\xe2\x80\xa8", b"\xd8\x8f", b"=", b" - ",
    b"</script>", b"null", b"\n",
)  # fmt: skip
_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d+)?")
_DATE: Final = re.compile(
    rb"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d|\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [-+]\d{4}|\d\d-\d\d \d\d:\d\d:\d\d"
)

Draw = Callable[..., Any]
Json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([0, -1, 200, 1e308, -1e-300, 2**63, 2**31, 0.5, 99999, 1795000000.25])
    | st.sampled_from(
        ["", "-", "200", "NaN", "\x00", "a.b", "1e400", "x" * 1500, "\ud800", "GET", "127.0.0.1", "/v1/models"]
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "", "a.b", ".", "status", "@timestamp"]), inner, max_size=2)
    ),
    max_leaves=3,
)


def samples(stream: Stream) -> list[bytes]:
    """What the stream's pipeline tests read, each once."""
    found = [
        event["message"] for case in cases(stream) for event in case.events() if isinstance(event.get("message"), str)
    ]
    return list(dict.fromkeys(one.encode("utf-8", "replace")[:_LONGEST] for one in found if one))


def lines(stream: Stream) -> st.SearchStrategy[bytes]:
    """Anything; most often a sample that is hardly one any more."""
    known = samples(stream)
    objects = [read for read in map(_object, known) if read]
    kinds = [
        _mutated(known),
        _mutated(known),
        st.binary(max_size=120),
        _mutated([b"", b" ", b"{", b"[", b'"', b"{}", b"[]"]),
    ]
    if objects:
        kinds += [_mistyped(objects), _mistyped(objects)]
    return st.one_of(kinds)


@st.composite
def _mutated(draw: Draw, known: list[bytes]) -> bytes:
    line: bytes = draw(st.sampled_from(known))
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        line = change(draw, line, known)
    return line[: 4 * _LONGEST]


@st.composite
def _mistyped(draw: Draw, objects: list[dict[str, Any]]) -> bytes:
    """A sample that is JSON, with other values, keys and depths."""
    made = dict(draw(st.sampled_from(objects)))
    names = sorted({name for one in objects for name in one})
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=4)):
        made[name] = draw(Json)
    if draw(st.integers(0, 9)) == 0:
        made.pop(draw(st.sampled_from(names)), None)
    text = json.dumps(made)
    if draw(st.integers(0, 9)) == 0:
        text = text.replace("null", "[" * _DEEP + "]" * _DEEP, 1)
    return text.encode()


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _at(draw: Draw, line: bytes) -> int:
    """A place, more often where something begins."""
    at: int = draw(st.integers(0, 255)) * (len(line) + 1) // 256
    return at


def _inserted(draw: Draw, line: bytes, known: list[bytes]) -> bytes:
    at = _at(draw, line)
    piece: bytes = draw(st.sampled_from(PIECES))
    return line[:at] + piece + line[at:]


def _taken_out(draw: Draw, line: bytes, known: list[bytes]) -> bytes:
    at, length = _at(draw, line), draw(st.integers(1, 40))
    return line[:at] + line[at + length :]


def _cut(draw: Draw, line: bytes, known: list[bytes]) -> bytes:
    at = _at(draw, line)
    return line[at:] if draw(st.booleans()) else line[:at]


def _joined(draw: Draw, line: bytes, known: list[bytes]) -> bytes:
    other: bytes = draw(st.sampled_from(known))
    return line[: _at(draw, line)] + other[_at(draw, other) :]


def _repeated(draw: Draw, line: bytes, known: list[bytes]) -> bytes:
    at, length = _at(draw, line), draw(st.integers(1, 40))
    times: int = draw(st.sampled_from([2, 20, 200]))
    return line[:at] + line[at : at + length] * times + line[at:]


def _flipped(draw: Draw, line: bytes, known: list[bytes]) -> bytes:
    if not line:
        return line
    at = min(_at(draw, line), len(line) - 1)
    return line[:at] + bytes([line[at] ^ draw(st.integers(1, 255))]) + line[at + 1 :]


def _numbered(draw: Draw, line: bytes, known: list[bytes]) -> bytes:
    return _replaced(draw, line, _NUMBER, NUMBERS)


def _dated(draw: Draw, line: bytes, known: list[bytes]) -> bytes:
    return _replaced(draw, line, _DATE, DATES)


def _replaced(draw: Draw, line: bytes, pattern: re.Pattern[bytes], values: tuple[bytes, ...]) -> bytes:
    found = list(pattern.finditer(line))
    if not found:
        return line
    one = found[draw(st.integers(0, len(found) - 1))]
    value: bytes = draw(st.sampled_from(values))
    return line[: one.start()] + value + line[one.end() :]


CHANGES: Final = (_inserted, _inserted, _taken_out, _cut, _joined, _repeated, _flipped, _numbered, _numbered, _dated)
