"""The package's agent templates, rendered without Fleet and without Node: the part of Handlebars that they use.

Rules: ``{{name}}``, ``{{escape_string name}}``, ``{{#each}}``, ``{{#if}}``, ``{{#unless}}``, ``{{#contains "x" y}}``,
each with ``{{else}}``; anything else is refused, so that a template that grows is noticed. A line with nothing but a
block's tag on it leaves none, as in Handlebars. An empty text, an empty list, false and nothing are no. Sources:
handlebars' language guide; Fleet's helpers (read, not copied).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kibana_assets.errors import PackageError

_TAG: Final = re.compile(r"\{\{([^{}]*)\}\}")
_ALONE: Final = re.compile(r"^[ \t]*(\{\{(?:[#/][^{}]*|else)\}\})[ \t]*\r?\n", re.MULTILINE)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


@dataclass(slots=True)
class _Block:
    """An open block: its opening words, what stands in it, and what stands behind ``else``."""

    words: list[str]
    body: list[Any] = field(default_factory=list)
    other: list[Any] = field(default_factory=list)
    in_other: bool = False

    def add(self, part: Any) -> None:
        """One more part."""
        (self.other if self.in_other else self.body).append(part)


def render(template: str, values: Mapping[str, Any], place: str) -> str:
    """The text of a template; ``place`` names it in errors. Raises: PackageError for what is not understood."""
    return _text(_parsed(_ALONE.sub(r"\1", template), place).body, values, place)


def _parsed(template: str, place: str) -> _Block:
    if "{{{" in template:
        raise PackageError(f"{place}: three braces", hint="Two are the same here: nothing is escaped.")
    open_ = [_Block([])]
    end = 0
    for tag in _TAG.finditer(template):
        open_[-1].add(template[end : tag.start()])
        end = tag.end()
        word = tag[1].strip()
        if word.startswith("#"):
            open_.append(_Block(word[1:].split()))
        elif word == "else":
            open_[-1].in_other = True
        elif word.startswith("/"):
            if len(open_) < 2 or open_[-1].words[0] != word[1:]:
                raise PackageError(f"{place}: {{{{{word}}}}} closes nothing", hint="Compare with its opening.")
            closed = open_.pop()
            open_[-1].add(closed)
        else:
            open_[-1].add(word.split())
    if len(open_) > 1:
        raise PackageError(f"{place}: {{{{#{open_[-1].words[0]}}}}} is never closed", hint="Close it.")
    open_[0].add(template[end:])
    return open_[0]


def _text(parts: list[Any], values: Mapping[str, Any], place: str) -> str:
    return "".join(_part(part, values, place) for part in parts)


def _part(part: Any, values: Mapping[str, Any], place: str) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, _Block):
        return _block(part, values, place)
    if len(part) == 2 and part[0] == "escape_string":
        return _escaped(_value(part[1], values, place))
    if len(part) != 1:
        raise PackageError(f"{place}: {{{{{' '.join(part)}}}}}: an unknown helper", hint="Teach agent_template.py it.")
    return _plain(_value(part[0], values, place))


def _block(block: _Block, values: Mapping[str, Any], place: str) -> str:
    kind, *words = block.words
    if kind == "each" and len(words) == 1:
        found = _value(words[0], values, place)
        items = found if isinstance(found, list) else []
        return "".join(_text(block.body, {**values, "this": item}, place) for item in items)
    if kind in ("if", "unless") and len(words) == 1:
        holds = _value(words[0], values, place) not in (None, False, "", 0, [])
        return _text(block.body if holds == (kind == "if") else block.other, values, place)
    if kind == "contains" and len(words) == 2:
        found = _value(words[1], values, place)
        holds = isinstance(found, list) and words[0].strip("\"'") in found
        return _text(block.body if holds else block.other, values, place)
    raise PackageError(
        f"{place}: {{{{#{' '.join(block.words)}}}}}: an unknown block", hint="Teach agent_template.py it."
    )


def _value(name: str, values: Mapping[str, Any], place: str) -> Any:
    if not _NAME.fullmatch(name):
        raise PackageError(f"{place}: {{{{{name}}}}}: no name", hint="Teach agent_template.py it.")
    found: Any = values
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _escaped(value: Any) -> str:
    """A YAML text in single quotes."""
    text = _plain(value)
    return "'" + text.replace("'", "''").replace("\n", "\n\n") + "'" if text else text
