r"""What Filebeat's filestream input makes of a file's bytes: lines, then events. No I/O.

Rules, after Beats' own sources (libbeat/reader/readfile and filebeat/input/filestream; ``parsers.py`` has its parsers):
- A line ends with \n; a \r before it is no part of it. A last line without an end waits for it.
- A line of over four times ``message_max_bytes`` is left out, for so does Filebeat, with a warning in its own log.
- An event is cut at ``message_max_bytes``, an empty one is no event. A byte that is no UTF-8 becomes U+FFFD, each one.
A setting that is not known here is an error: what the package says is what is done.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.counterparts.parsers import Line, Parser, parser

_KNOWN: Final = {
    "paths", "prospector.scanner.exclude_files", "prospector.scanner.fingerprint", "file_identity.fingerprint",
    "encoding", "message_max_bytes", "parsers", "tags", "publisher_pipeline.disable_host", "fields_under_root",
    "fields", "processors",
}  # fmt: skip
_LINE_FACTOR: Final = 4


def _go(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("filestream", _go)


@dataclass(frozen=True, slots=True)
class Settings:
    """One input, read from its rendered template."""

    paths: tuple[str, ...]
    exclude: tuple[re.Pattern[str], ...]
    fingerprint_length: int
    max_bytes: int
    parsers: tuple[Mapping[str, Any], ...]
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
        processors = [dict(one) for one in said.get("processors") or ()]
        assert all(set(one) == {"add_locale"} for one in processors), f"processors: {processors}"
        return cls(
            tuple(said["paths"]),
            tuple(re.compile(one) for one in said.get("prospector.scanner.exclude_files", ())),
            int(mark["length"]),
            int(said["message_max_bytes"]),
            tuple(dict(one) for one in said.get("parsers") or ()),
            tuple(said.get("tags") or ()),
            dict(said.get("fields") or {}),
            bool(processors),
            not said.get("publisher_pipeline.disable_host", False),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """An event; ``start`` and ``end`` are its place in the file in bytes, ``time`` and ``stream`` a container's."""

    text: str
    start: int
    end: int
    flags: tuple[str, ...]
    time: str | None = None
    stream: str | None = None


@dataclass(slots=True)
class Reader:
    """Reads one file from ``offset`` on; ``position`` is where the next bytes are to come from."""

    settings: Settings
    offset: int = 0
    position: int = field(init=False)
    _rest: bytes = b""
    _parsers: list[Parser] = field(init=False)

    def __post_init__(self) -> None:
        self.position = self.offset
        self._parsers = [parser(one) for one in self.settings.parsers]

    def feed(self, data: bytes, now: float) -> Iterator[Event]:
        """The events that these bytes complete. ``now`` is in seconds of any clock."""
        self.position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for content in lines:
            start, self.offset = self.offset, self.offset + len(content) + 1
            if len(content) < _LINE_FACTOR * self.settings.max_bytes:
                yield from self._through(Line(content.removesuffix(b"\r"), start, self.offset), 0, now)

    def idle(self, now: float) -> Iterator[Event]:
        """The events that have waited for their next line long enough."""
        for number, one in enumerate(self._parsers):
            for line in one.idle(now):
                yield from self._through(line, number + 1, now)

    def _through(self, line: Line, number: int, now: float) -> Iterator[Event]:
        """Through the parsers from this one on."""
        if number < len(self._parsers):
            for made in self._parsers[number].feed(line, now):
                yield from self._through(made, number + 1, now)
        elif line.content:
            flags = [*line.flags, *(["truncated"] if len(line.content) > self.settings.max_bytes else [])]
            text = decoded(line.content, self.settings.max_bytes)
            yield Event(text, line.start, line.end, tuple(dict.fromkeys(flags)), line.time, line.stream)


def decoded(content: bytes, max_bytes: int) -> str:
    """The text of an event, cut, as it stands in the JSON that is sent."""
    return content[:max_bytes].decode("utf-8", "filestream")
