"""What can be wrong with a text before it is a tree: the fault, where it is, and the reason in plain words.

Rules: the reader's own reasons are passed on without what they quote, because that may be part of a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_TAB = re.compile(r"^ *\t[\t ]*(?=[^\s#])", re.MULTILINE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_SHORT = 4
_MOST_TABS = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the text: the rule that it breaks, the place (both from 1), and what is there."""

    rule: str
    line: int
    column: int
    detail: str


def unreadable_character(text: str) -> Fault | None:
    """The first character that may not stand in YAML."""
    bad = _FORBIDDEN.search(text)
    if bad is None:
        return None
    return Fault("yaml-character", *_place(text, bad.start()), f"the character U+{ord(bad[0]):04X}")


def syntax_faults(error: MarkedYAMLError, text: str) -> Iterator[Fault]:
    """The reader's own fault, or each line that begins with a tab where tabs are the reason."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())] or "'\\t'" in (error.problem or ""):
        yield from list(_tabs(text)) or [Fault("yaml-tab", line, column, "a tab")]
        return
    yield Fault("yaml-syntax", line, column, _reason(error))


def _tabs(text: str) -> Iterator[Fault]:
    for found, match in enumerate(_TAB.finditer(text)):
        if found == _MOST_TABS:
            return
        yield Fault("yaml-tab", *_place(text, match.start() + match[0].index("\t")), "a tab")


def _reason(error: MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    # A quoted token of YAML's own has one or two characters, or is named in angle brackets.
    return _QUOTED.sub(_hidden, ": ".join(parts)) or "it cannot be read"


def _hidden(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) <= _SHORT or match[0][1] == "<" else "'…'"


def _place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1
