r"""What Filebeat's filestream input makes of a file's bytes: lines, then events. No I/O.

Rules, after Beats' own sources (libbeat/reader/readfile, libbeat/reader/multiline, filebeat/input/filestream):
- A line ends with \n; a \r before it is no part of it. A last line without an end waits for it.
- A line of over four times ``message_max_bytes`` is left out, for so does Filebeat, with a warning in its own log.
- multiline: with ``match: after`` a line that fits ``pattern`` (or does not, with ``negate``) goes on the event before
  it, with ``before`` the line after one that fits does; from ``max_lines`` on lines are left out; an event that has
  waited ``timeout`` for its next line is done. It is joined by \n, but for empty lines at its start.
- An event is cut at ``message_max_bytes``, an empty one is no event. A byte that is no UTF-8 becomes U+FFFD, each one.
A setting that is not known here is an error: what the package says is what is done.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_KNOWN: Final = {
    "paths", "prospector.scanner.exclude_files", "prospector.scanner.fingerprint", "file_identity.fingerprint",
    "encoding", "message_max_bytes", "parsers", "tags", "publisher_pipeline.disable_host", "fields_under_root",
    "fields", "processors",
}  # fmt: skip
_MULTILINE: Final = {"type", "pattern", "negate", "match", "max_lines", "timeout"}
_LINE_FACTOR: Final = 4


def _go(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("filestream", _go)


@dataclass(frozen=True, slots=True)
class Multiline:
    """Which lines belong together; ``timeout`` in seconds."""

    pattern: re.Pattern[bytes]
    negate: bool
    after: bool
    max_lines: int
    timeout: float

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Multiline:
        """From the agent's configuration."""
        assert said.get("type") == "pattern" and set(said) <= _MULTILINE, f"multiline: {dict(said)}"
        assert said["match"] in ("after", "before"), f"multiline.match: {said['match']}"
        wait = re.fullmatch(r"(\d+)s", str(said["timeout"]))
        assert wait, f"multiline.timeout: {said['timeout']}"
        pattern = re.compile(str(said["pattern"]).encode())
        return cls(pattern, bool(said["negate"]), said["match"] == "after", int(said["max_lines"]), float(wait[1]))

    def goes_on(self, last: bytes, line: bytes) -> bool:
        """Whether ``line`` belongs to the event whose last line is ``last``."""
        return (self.pattern.search(line if self.after else last) is not None) != self.negate


@dataclass(frozen=True, slots=True)
class Settings:
    """One input, read from its rendered template."""

    paths: tuple[str, ...]
    exclude: tuple[re.Pattern[str], ...]
    fingerprint_length: int
    max_bytes: int
    multiline: Multiline | None
    tags: tuple[str, ...]
    fields: Mapping[str, Any]
    locale: bool
    host: bool

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Settings:
        """From the agent's configuration, as YAML says it."""
        assert set(said) <= _KNOWN, f"filestream: no {sorted(set(said) - _KNOWN)} here"
        mark = said["prospector.scanner.fingerprint"]
        assert (mark["enabled"], mark["offset"]) == (True, 0), f"fingerprint: {mark}"
        assert "file_identity.fingerprint" in said and said["encoding"] == "utf-8", "identity or encoding"
        assert said.get("fields_under_root", True) is True, "fields_under_root"
        parsers = [dict(one) for one in said.get("parsers", ())]
        assert all(set(one) == {"multiline"} for one in parsers) and len(parsers) < 2, f"parsers: {parsers}"
        processors = [dict(one) for one in said.get("processors") or ()]
        assert all(set(one) == {"add_locale"} for one in processors), f"processors: {processors}"
        return cls(
            tuple(said["paths"]),
            tuple(re.compile(one) for one in said.get("prospector.scanner.exclude_files", ())),
            int(mark["length"]),
            int(said["message_max_bytes"]),
            Multiline.of(parsers[0]["multiline"]) if parsers else None,
            tuple(said.get("tags") or ()),
            dict(said.get("fields") or {}),
            bool(processors),
            not said.get("publisher_pipeline.disable_host", False),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """An event; ``start`` and ``end`` are its place in the file, in bytes."""

    text: str
    start: int
    end: int
    flags: tuple[str, ...]


@dataclass(slots=True)
class _Pending:
    """Lines of an event that may go on."""

    start: int
    content: bytes = b""
    size: int = 0
    lines: int = 0
    last: bytes = b""
    left_out: bool = False

    def add(self, line: bytes, size: int, most: int) -> None:
        if self.lines < most:
            self.content += (b"\n" if self.content else b"") + line
            self.lines += 1
        else:
            self.left_out = self.left_out or bool(line)
        self.size += size
        self.last = line


@dataclass(slots=True)
class Reader:
    """Reads one file from ``offset`` on; ``position`` is where the next bytes are to come from."""

    settings: Settings
    offset: int = 0
    position: int = field(init=False)
    _rest: bytes = b""
    _pending: _Pending | None = None
    _fed: float = 0.0

    def __post_init__(self) -> None:
        self.position = self.offset

    def feed(self, data: bytes, now: float) -> Iterator[Event]:
        """The events that these bytes complete. ``now`` is in seconds of any clock."""
        self.position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._fed = now
            yield from self._line(line)

    def idle(self, now: float) -> Iterator[Event]:
        """The event that has waited for its next line long enough, if there is one."""
        rule = self.settings.multiline
        if rule and self._pending and now - self._fed >= rule.timeout:
            yield from self._done()

    def _line(self, line: bytes) -> Iterator[Event]:
        size = len(line) + 1
        if size > _LINE_FACTOR * self.settings.max_bytes:
            # Its bytes count for the event before it, or else for nothing.
            if self._pending:
                self._pending.size += size
            else:
                self.offset += size
            return
        line = line.removesuffix(b"\r")
        rule = self.settings.multiline
        if self._pending and not (rule and rule.goes_on(self._pending.last, line)):
            yield from self._done()
        if self._pending is None:
            self._pending = _Pending(self.offset)
        self._pending.add(line, size, rule.max_lines if rule else 1)
        if rule is None:
            yield from self._done()

    def _done(self) -> Iterator[Event]:
        pending, self._pending = self._pending, None
        assert pending
        self.offset = pending.start + pending.size
        cut = pending.left_out or len(pending.content) > self.settings.max_bytes
        flags = [*(["truncated"] if cut else []), *(["multiline"] if pending.lines > 1 else [])]
        if pending.content:
            yield Event(decoded(pending.content, self.settings.max_bytes), pending.start, self.offset, tuple(flags))


def decoded(content: bytes, max_bytes: int) -> str:
    """The text of an event, cut, as it stands in the JSON that is sent."""
    return content[:max_bytes].decode("utf-8", "filestream")
