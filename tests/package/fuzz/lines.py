"""Lines that no program should write, as bytes: noise, and samples of a stream that something happened to.

Rules: hypothesis gives a source of chance for each batch, the same in every run; what is drawn from it is drawn here,
for of hypothesis's own lines half were there before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
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

VALUES: Final = (
    None, True, False, 0, -1, 200, 99999, 2**31, 2**63, -(2**70), 0.5, -1e-300, 1e308, 1795000000.25, "", "-", "200",
    "NaN", "\x00", "a.b", "1e400", "x" * 1500, "\ud800", "GET", "127.0.0.1", "/v1/models", "2999-01-01T00:00:00Z",
)  # fmt: skip
_KEYS: Final = ("a", "", "a.b", ".", "status", "@timestamp", "message", "0", "é")
Change = Callable[[Random, bytes, list[bytes]], bytes]


def samples(stream: Stream) -> list[bytes]:
    """What the stream's pipeline tests read, each once."""
    events = [event.get("message") for case in cases(stream) for event in case.events()]
    found = [text.encode("utf-8", "replace")[:_LONGEST] for text in events if isinstance(text, str) and text]
    return list(dict.fromkeys(found))


def batches(stream: Stream, size: int) -> st.SearchStrategy[list[bytes]]:
    """``size`` lines: of noise a few, of samples that are hardly any more the most."""
    known = samples(stream)
    objects = [line for line in known if isinstance(_read(line), dict)]
    names = sorted({name for line in objects for name in _read(line)})

    def line(chance: Random) -> bytes:
        kind = chance.random()
        if kind < 0.1:
            return chance.randbytes(chance.randrange(120))
        if kind < 0.4 and objects:
            return _mistyped(chance, chance.choice(objects), names)
        if kind < 0.45:
            return json.dumps(value(chance, 3)).encode()
        return _mutated(chance, known)

    return st.randoms(use_true_random=True).map(lambda chance: [line(chance) for _ in range(size)])


def value(chance: Random, depth: int) -> Any:
    """Any JSON value, nested up to ``depth``."""
    kind = chance.random() if depth else 0.0
    if kind < 0.6:
        return chance.choice(VALUES)
    if kind < 0.75:
        return [value(chance, depth - 1) for _ in range(chance.randrange(3))]
    return {chance.choice(_KEYS): value(chance, depth - 1) for _ in range(chance.randrange(3))}


def _mutated(chance: Random, known: list[bytes]) -> bytes:
    line = chance.choice(known)
    for _ in range(chance.randint(1, 3)):
        line = chance.choice(CHANGES)(chance, line, known)
    return line[: 4 * _LONGEST]


def _mistyped(chance: Random, line: bytes, names: list[str]) -> bytes:
    """A sample that is JSON, with other values, keys and depths."""
    made: dict[str, Any] = _read(line)
    for _ in range(chance.randint(1, 4)):
        inner, name = made, chance.choice(names)
        while isinstance(inner.get(name), dict) and inner[name] and chance.random() < 0.8:
            inner = inner[name]
            name = chance.choice(sorted(inner))
        inner[name] = value(chance, 2)
    if chance.random() < 0.1:
        made.pop(chance.choice(names), None)
    text = json.dumps(made, separators=chance.choice([(",", ":"), (", ", ": ")]))
    return (text.replace("null", "[" * _DEEP + "]" * _DEEP, 1) if chance.random() < 0.05 else text).encode()


def _read(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _inserted(chance: Random, line: bytes, known: list[bytes]) -> bytes:
    at = chance.randint(0, len(line))
    return line[:at] + chance.choice(PIECES) + line[at:]


def _taken_out(chance: Random, line: bytes, known: list[bytes]) -> bytes:
    at = chance.randint(0, len(line))
    return line[:at] + line[at + chance.randint(1, 40) :]


def _cut(chance: Random, line: bytes, known: list[bytes]) -> bytes:
    at = chance.randint(0, len(line))
    return line[at:] if chance.random() < 0.5 else line[:at]


def _joined(chance: Random, line: bytes, known: list[bytes]) -> bytes:
    other = chance.choice(known)
    return line[: chance.randint(0, len(line))] + other[chance.randint(0, len(other)) :]


def _repeated(chance: Random, line: bytes, known: list[bytes]) -> bytes:
    at = chance.randint(0, len(line))
    return line[:at] + line[at : at + chance.randint(1, 40)] * chance.choice([2, 20, 200]) + line[at:]


def _flipped(chance: Random, line: bytes, known: list[bytes]) -> bytes:
    if not line:
        return line
    at = chance.randrange(len(line))
    return line[:at] + bytes([line[at] ^ chance.randint(1, 255)]) + line[at + 1 :]


def _numbered(chance: Random, line: bytes, known: list[bytes]) -> bytes:
    return _replaced(chance, line, _NUMBER, NUMBERS)


def _dated(chance: Random, line: bytes, known: list[bytes]) -> bytes:
    return _replaced(chance, line, _DATE, DATES)


def _replaced(chance: Random, line: bytes, pattern: re.Pattern[bytes], values: tuple[bytes, ...]) -> bytes:
    found = list(pattern.finditer(line))
    if not found:
        return line
    one = chance.choice(found)
    return line[: one.start()] + chance.choice(values) + line[one.end() :]


CHANGES: Final[tuple[Change, ...]] = (
    _inserted, _inserted, _taken_out, _cut, _joined, _repeated, _flipped, _numbered, _numbered, _dated, _dated,
)  # fmt: skip
