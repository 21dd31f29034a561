"""The events that an agent makes of a vLLM log: its multi-line parsers, read from the stream's template, one on another.

Rules: as Filebeat's pattern reader does it. ``before`` joins a line with the next one when the line before fits,
``after`` when the line itself fits; each looks at what the parser before it made. Line ends are taken off, with their
carriage return.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ruamel.yaml import YAML

from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load


@dataclass(frozen=True, slots=True)
class Parser:
    """One multi-line parser of the template."""

    pattern: re.Pattern[str]
    before: bool

    def joined(self, lines: Iterable[str]) -> Iterator[str]:
        """The events that it makes of what it is given."""
        waiting: list[str] = []
        for line in lines:
            looked_at = waiting[-1] if self.before and waiting else line
            if waiting and not self.pattern.search(looked_at):
                yield "\n".join(waiting)
                waiting = []
            waiting.append(line)
        if waiting:
            yield "\n".join(waiting)


def vllm() -> Stream:
    """The stream."""
    return next(stream for stream in streams(load()) if stream.name == "vllm")


def parsers() -> list[Parser]:
    """Those of the template, in their order."""
    template = load().text(f"{vllm().path}/agent/stream/stream.yml.hbs")
    text = re.search(r"^  - multiline:\n(?:.*\n)*?(?=tags:)", template, re.MULTILINE)
    assert text
    read = YAML(typ="safe").load(re.sub(r"\{\{\w+\}\}", "1000", text[0]))
    assert all(one["multiline"]["negate"] is False for one in read)
    return [
        Parser(re.compile(one["multiline"]["pattern"], re.ASCII), one["multiline"]["match"] == "before")
        for one in read
    ]


def events(data: bytes) -> list[str]:
    """The events of a file; a blank one is not sent."""
    lines: Iterable[str] = (
        line.removesuffix("\r") for line in data.decode("utf-8", "replace").removesuffix("\n").split("\n")
    )
    for parser in parsers():
        lines = parser.joined(lines)
    return [event for event in lines if event.strip()]
