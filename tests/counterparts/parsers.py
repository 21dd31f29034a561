r"""Filebeat's parsers of lines, as far as the package uses them: multiline and container. No I/O.

Rules, after Beats' own sources (libbeat/reader/multiline, libbeat/reader/readjson):
- multiline: with ``match: after`` a line that fits ``pattern`` (or does not, with ``negate``) goes on the event before
  it, with ``before`` the line after one that fits does; from ``max_lines`` on lines are left out; an event that has
  waited ``timeout`` for its next line is done. It is joined by \n, but for empty lines at its start.
- container: Docker's JSON or a CRI line, told by its first character; pieces of a line are put together. What Docker
  writes keeps the \n at its end, so that multiline behind it joins lines by two. What cannot be read is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Final, Protocol

_MULTILINE: Final = {"type", "pattern", "negate", "match", "max_lines", "timeout"}


@dataclass(frozen=True, slots=True)
class Line:
    """What goes from parser to parser; ``start`` and ``end`` are its place in the file, in bytes."""

    content: bytes
    start: int
    end: int
    flags: tuple[str, ...] = ()
    time: str | None = None
    stream: str | None = None


class Parser(Protocol):
    """One parser of an input's list."""

    def feed(self, line: Line, now: float) -> Iterator[Line]:
        """What this line completes."""

    def idle(self, now: float) -> Iterator[Line]:
        """What has waited long enough."""


def parser(said: Mapping[str, Any]) -> Parser:
    """From the agent's configuration: a mapping of one key, the parser's name."""
    ((name, values),) = said.items()
    if name == "multiline":
        return _multiline(values)
    assert name == "container" and values == {"stream": "all", "format": "auto"}, f"parsers: {dict(said)}"
    return Container()


@dataclass(slots=True)
class Multiline:
    """Puts lines together; ``timeout`` in seconds."""

    pattern: re.Pattern[bytes]
    negate: bool
    after: bool
    max_lines: int
    timeout: float
    _lines: list[Line] = field(default_factory=list)
    _fed: float = 0.0

    def feed(self, line: Line, now: float) -> Iterator[Line]:
        if self._lines and not self._goes_on(line):
            yield self._joined()
        self._lines.append(line)
        self._fed = now

    def idle(self, now: float) -> Iterator[Line]:
        if self._lines and now - self._fed >= self.timeout:
            yield self._joined()

    def _goes_on(self, line: Line) -> bool:
        looked_at = line.content if self.after else self._lines[-1].content
        return (self.pattern.search(looked_at) is not None) != self.negate

    def _joined(self) -> Line:
        lines, self._lines = self._lines, []
        kept = lines[: self.max_lines]
        content = b""
        for line in kept:
            content += (b"\n" if content else b"") + line.content
        cut = ("truncated",) if any(line.content for line in lines[self.max_lines :]) else ()
        flags = (*lines[0].flags, *cut, *(("multiline",) if len(kept) > 1 else ()))
        return replace(lines[0], content=content, end=lines[-1].end, flags=flags)


@dataclass(slots=True)
class Container:
    """Takes lines out of what Docker, Podman or Kubernetes put around them."""

    _begun: Line | None = None

    def feed(self, line: Line, now: float) -> Iterator[Line]:
        read = _docker(line) if line.content.startswith(b"{") else _cri(line)
        if read is None:
            return
        made, partial = read
        if self._begun:
            made = replace(self._begun, content=self._begun.content + made.content, end=made.end)
        self._begun = made if partial else None
        if not partial:
            yield made

    def idle(self, now: float) -> Iterator[Line]:
        return iter(())


def _docker(line: Line) -> tuple[Line, bool] | None:
    try:
        said = json.loads(line.content.decode("utf-8", "replace"))
        content = said["log"].encode("utf-8", "replace")
        return replace(line, content=content, time=_time(said["time"]), stream=said["stream"]), content[-1:] != b"\n"
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _cri(line: Line) -> tuple[Line, bool] | None:
    words = line.content.split(b" ", 3)
    if len(words) < 4:
        return None
    try:
        made = replace(line, content=words[3], time=_time(words[0].decode()), stream=words[1].decode())
    except ValueError:
        return None
    return made, b"P" in words[2].split(b":")


def _time(text: str) -> str:
    """As Filebeat sends it: UTC, milliseconds. Raises: ValueError."""
    said = datetime.fromisoformat(re.sub(r"(\.\d{3})\d*", r"\1", text).replace("Z", "+00:00"))
    return said.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{said.microsecond // 1000:03}Z"


def _multiline(said: Mapping[str, Any]) -> Multiline:
    assert said.get("type") == "pattern" and set(said) <= _MULTILINE, f"multiline: {dict(said)}"
    assert said["match"] in ("after", "before"), f"multiline.match: {said['match']}"
    wait = re.fullmatch(r"(\d+)s", str(said["timeout"]))
    assert wait, f"multiline.timeout: {said['timeout']}"
    # Go's $ is the end of the text alone; a [$] would have to be left as it is.
    text = re.sub(r"(?<!\\)\$", r"\\Z", str(said["pattern"]))
    pattern = re.compile(text.encode())
    return Multiline(pattern, bool(said["negate"]), said["match"] == "after", int(said["max_lines"]), float(wait[1]))
