"""The events that an agent makes of a vLLM log, by the parsers of the stream's template: a container's, if any, and two
multi-line ones, one on another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ruamel.yaml import YAML

from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.parsers import Line, Parser, parser

WHEN = "2026-11-21T07:44:05.123456789Z"
LATE = 1e9


def vllm() -> Stream:
    """The stream."""
    return next(stream for stream in streams(load()) if stream.name == "vllm")


def events(data: bytes) -> list[str]:
    """The messages of a plain file; a blank one is not sent."""
    return [line.content.decode("utf-8", "replace") for line in shipped(data.split(b"\n"), containers=False)]


def shipped(lines: Iterable[bytes], *, containers: bool) -> list[Line]:
    """What the agent sends of lines; ends of lines are taken off first, with their carriage return."""
    found = [Line(line.removesuffix(b"\r"), 0, 0) for line in lines]
    for one in _parsers(containers=containers):
        found = [*(made for line in found for made in one.feed(line, 0)), *one.idle(LATE)]
    return [line for line in found if line.content.strip()]


def docker(line: str, stream: str = "stderr") -> list[bytes]:
    """A line as Docker's json-file driver keeps it, in pieces of 16 KiB."""
    text = line + "\n"
    pieces = [text[at : at + 16384] for at in range(0, len(text), 16384)]
    return [json.dumps({"log": piece, "stream": stream, "time": WHEN}).encode() for piece in pieces]


def podman(line: str) -> list[bytes]:
    """A line as Podman's k8s-file driver keeps it, in pieces of 8 KiB."""
    pieces = [line[at : at + 8192] for at in range(0, len(line), 8192)] or [""]
    tags = ["P"] * (len(pieces) - 1) + ["F"]
    return [f"{WHEN} stdout {tag} {piece}".encode() for tag, piece in zip(tags, pieces, strict=True)]


def _parsers(*, containers: bool) -> Iterator[Parser]:
    template = load().text(f"{vllm().path}/agent/stream/stream.yml.hbs")
    found = re.search(r"^parsers:\n(?:[ {].*\n)+", template, re.MULTILINE)
    assert found
    text = re.sub(r"\{\{max_lines\}\}", "1000", found[0])
    text = re.sub(r"^\{\{#if containers\}\}\n((?:.*\n)*?)\{\{/if\}\}\n", r"\1" if containers else "", text, flags=re.M)
    said: list[dict[str, Any]] = YAML(typ="safe").load(text)["parsers"]
    assert [next(iter(one)) for one in said] == ["container"] * containers + ["multiline"] * 2
    return map(parser, said)
