"""Model families: what vLLM must be told to serve them, as data in ``families.json``.

Rules: the hub id decides, then the architecture that the weights name; a file is asked for by a flag only when it is
among the model's files; a tool-call parser that the image's version does not know is left out, for vLLM would refuse
to start, and a note says so. ``generic`` is the family of everything else and needs no flag.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from bundler.digest import Digest

_RELEASE = re.compile(r"v?([0-9]+)\.([0-9]+)\.([0-9]+)")

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Flag:
    """Arguments of vLLM. ``needs`` is an fnmatch pattern of the file that they make it read; ``note`` a warning."""

    args: tuple[str, ...]
    needs: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that ``by``, a part of the engine, fetches when it starts, unless it is told where the file lies."""

    url: str
    digest: Digest
    by: str

    @property
    def name(self) -> str:
        """The file's name, by which it is looked for."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Example:
    """What ``init`` writes for a family; ``gguf`` is the repository with weights for LM Studio."""

    name: str
    title: str
    id: str
    include: tuple[str, ...]
    image: str
    gpus: int
    gguf: str


@dataclass(frozen=True, slots=True)
class Family:
    """A model family. ``context`` is in tokens, that of the example; ``side_files`` lie beside the weights.

    ``fetched`` are files that are not the model's: the engine would fetch them when it starts.

    ``ids`` are fnmatch patterns over the id in lower case. ``tool_parser_since`` is the vLLM release from which on
    the parser is known for certain. ``native_tools`` says whether the model is trained to call tools.
    """

    name: str
    title: str
    ids: tuple[str, ...]
    architectures: tuple[str, ...]
    flags: tuple[Flag, ...]
    tool_parser: str | None
    tool_parser_since: Version | None
    native_tools: bool
    context: int
    side_files: tuple[str, ...]
    example: Example
    fetched: tuple[Fetched, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineArgs:
    """Arguments for vLLM, and for a person what was left out or is uncertain."""

    args: tuple[str, ...]
    notes: tuple[str, ...] = ()


@cache
def families() -> tuple[Family, ...]:
    """All families; the first whose patterns match is a model's, ``generic`` is last."""
    text = resources.files("bundler.spec").joinpath("families.json").read_text(encoding="utf-8")
    return tuple(_family(entry) for entry in json.loads(text)["families"])


def _family(entry: dict[str, Any]) -> Family:
    example = entry["example"]
    return Family(
        name=entry["name"],
        title=entry["title"],
        ids=tuple(entry["ids"]),
        architectures=tuple(entry["architectures"]),
        flags=tuple(Flag(tuple(f["args"]), f["needs"], f.get("note")) for f in entry["flags"]),
        tool_parser=entry["tool_parser"],
        tool_parser_since=release(entry["tool_parser_since"]),
        native_tools=entry["native_tools"],
        context=entry["context"],
        side_files=tuple(entry["side_files"]),
        example=Example(**{**example, "include": tuple(example["include"])}),
        fetched=tuple(Fetched(f["url"], Digest(f["sha256"]), f["by"]) for f in entry.get("fetched", ())),
    )


def release(tag: str | None) -> Version | None:
    """The vLLM release that an image's tag names, as in ``v0.11.2`` or ``v0.9.1-cu126``; None for ``latest``."""
    found = _RELEASE.match(tag or "")
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def family_of(model_id: str, architecture: str | None = None) -> Family | None:
    """The family of a model by its id, else by its architecture; None where neither is known."""
    lowered = model_id.lower()
    for family in families():
        if any(fnmatch.fnmatchcase(lowered, pattern) for pattern in family.ids):
            return family
    return next((f for f in families() if architecture and architecture in f.architectures), None)


def fetched_by(path: str) -> str | None:
    """The part of an engine that would fetch a file of this name when it starts; None where none is known."""
    name = path.rpartition("/")[2]
    return next((one.by for family in families() for one in family.fetched if one.name == name), None)


def engine_args(family: Family, image_tag: str | None, files: Iterable[str] | None = None) -> EngineArgs:
    """What vLLM of the image ``image_tag`` must be told for ``family``, before the user's own arguments.

    ``files`` are the paths of the model's files; without them every file that a flag needs is taken to be there.
    """
    args: list[str] = []
    notes: list[str] = []
    paths = None if files is None else tuple(files)
    for flag in family.flags:
        written = " ".join(flag.args)
        if paths is not None and not any(fnmatch.fnmatchcase(path, flag.needs) for path in paths):
            notes.append(f"{written} is left out: the model has no file {flag.needs}")
            continue
        args.extend(flag.args)
        if flag.note:
            notes.append(f"{written} {flag.note}")
    parser_args, note = _tool_calling(family, image_tag)
    return EngineArgs((*args, *parser_args), (*notes, *([note] if note else [])))


def _tool_calling(family: Family, image_tag: str | None) -> tuple[tuple[str, ...], str | None]:
    if family.tool_parser is None or family.tool_parser_since is None:
        return (), "no tool-call parser is known for this model: tools are called by prompt, not natively"
    args = ("--enable-auto-tool-choice", "--tool-call-parser", family.tool_parser)
    needed = ".".join(map(str, family.tool_parser_since))
    version = release(image_tag)
    if version is None:
        return args, (
            f"the tool-call parser {family.tool_parser} needs vLLM {needed} or newer, "
            "and the image's tag does not say its version"
        )
    if version < family.tool_parser_since:
        found = ".".join(map(str, version))
        return (), (
            f"the tool-call parser {family.tool_parser} is left out: it needs vLLM {needed} or newer, "
            f"the image has {found}; tools are not called natively"
        )
    return args, None
