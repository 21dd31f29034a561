"""Nginx's own configuration, as far as we must know it: what it includes, where its pid lies, who is default server.

Rules: it is read as Nginx reads it (quotes, escapes, comments, blocks), and nothing is written. Format:
ngx_conf_read_token in nginx's src/core/ngx_conf_file.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

# A closing brace ends a block only where a word could begin; an opening one belongs to the word after a dollar.
_TOKEN: Final = re.compile(
    r"""\s+|\#[^\n]*|(?P<mark>[{};])|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'"""
    r"""|(?P<word>(?:[^\s{};\\"'\#]|\\.)(?:[^\s{;\\]|\\.|(?<=\$)\{)*)""",
    re.DOTALL,
)
_FILE: Final = re.compile(r"^# configuration file (.*):$", re.MULTILINE)
_PORT: Final = re.compile(r"(?:(?P<address>\[[0-9A-Fa-f:.]+\]|[^:\[\]/]+):)?(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive with the names of the blocks around it, outermost first."""

    within: tuple[str, ...]
    words: tuple[str, ...]


def directives(text: str) -> Iterator[Directive]:
    """All of a file. What cannot be read ends it: Nginx itself says what is wrong there."""
    within: list[str] = []
    words: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return
        at = token.end()
        mark = token["mark"]
        if mark is None:
            words += [word for word in (token["double"], token["single"], token["word"]) if word is not None]
            continue
        if words:
            yield Directive(tuple(within), tuple(words))
        if mark == "{":
            within.append(words[0] if words else "")
        elif mark == "}" and within:
            within.pop()
        words = []


def include_folders(main: str, folder: Path, name: str) -> list[Path]:
    """The folders from which the ``http`` of the main file, which lies in ``folder``, takes a file of that name."""
    found = []
    for one in directives(main):
        if one.within == ("http",) and one.words[0] == "include" and len(one.words) == 2:
            pattern = folder / one.words[1]
            if "*" in pattern.name and fnmatchcase(name, pattern.name):
                found.append(pattern.parent)
    return sorted(found, key=lambda path: path.name != "conf.d")


def pid_path(main: str) -> str | None:
    """What the main file calls its pid file."""
    return next((one.words[1] for one in directives(main) if one.words[0] == "pid" and len(one.words) == 2), None)


def default_servers(dump: str, apart_from: Path) -> dict[tuple[str, int], str]:
    """Address and port → file, of what ``nginx -T`` prints: where a server that is not ours answers for every name."""
    found = {}
    parts = _FILE.split(dump)
    for path, text in zip(parts[1::2], parts[2::2], strict=False):
        if Path(path) == apart_from:
            continue
        for one in directives(text):
            if one.words[0] == "listen" and {"default_server", "default"} & set(one.words[2:]):
                place = _PORT.fullmatch(one.words[1])
                if place and int(place["port"]) < 65536:
                    address = (place["address"] or "0.0.0.0").strip("[]")
                    found["0.0.0.0" if address == "*" else address, int(place["port"])] = path
    return found
