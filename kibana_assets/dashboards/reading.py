"""A mapping of a YAML file that knows its line, so that an error can name it.

Rules: a value is taken once, as the type that it must be; what nobody took is an unknown key. Every error says file,
line, key, what was found and what was expected.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kibana_assets.errors import PackageError

_NONE: Final = object()


def read_mapping(text: str, file: str) -> Mapping:
    """The mapping that is the whole of ``text``. Raises: PackageError with file, line and column."""
    try:
        read = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise PackageError(f"{where}: not YAML: {error.problem}", hint="Correct that line.") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise PackageError(f"{file}: not YAML: {error}", hint="Correct the file.") from error
    if not isinstance(read, CommentedMap):
        raise PackageError(f"{file}:1: found {_kind(read)}, expected a mapping", hint="Compare with its neighbours.")
    return Mapping(read, file, "")


class Mapping:
    """One mapping; ``path`` is where it stands in its file, such as ``rows[0].panels[2]``."""

    def __init__(self, read: CommentedMap, file: str, path: str) -> None:
        self._left = dict(read)
        self._asked: set[str] = set()
        self._read = read
        self.file = file
        self.path = path

    @property
    def place(self) -> str:
        """``file:line`` of the mapping."""
        return f"{self.file}:{self._read.lc.line + 1}"

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty; without ``default`` it must be there."""
        return str(self._take(key, str, "a text", default))

    def whole(self, key: str, default: int) -> int:
        """A whole number from 1 on."""
        found = int(self._take(key, int, "a whole number", default))
        if found < 1:
            raise self.wrong(key, str(found), "a number from 1 on")
        return found

    def number(self, key: str, default: float | None = None) -> float:
        """A number."""
        return float(self._take(key, (int, float), "a number", default))

    def flag(self, key: str) -> bool:
        """True or false; false where it is not there."""
        return bool(self._take(key, bool, "true or false", False))

    def one_of(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """One of some texts."""
        found, known = self.text(key, default), sorted(allowed)
        if found not in known:
            raise self.wrong(key, repr(found), f"one of {', '.join(known)}")
        return found

    def mapping(self, key: str) -> Mapping | None:
        """The mapping below ``key``, or nothing."""
        found: CommentedMap | None = self._take(key, CommentedMap, "a mapping", None, missing=True)
        return None if found is None else Mapping(found, self.file, self._below(key))

    def mappings(self, key: str) -> list[Mapping]:
        """The list of mappings below ``key``; empty where it is not there."""
        found: CommentedSeq | None = self._take(key, CommentedSeq, "a list", None, missing=True)
        made = []
        for number, item in enumerate(found or ()):
            if not isinstance(item, CommentedMap):
                raise self.wrong(f"{key}[{number}]", _kind(item), "a mapping", line=_line(found, number))
            made.append(Mapping(item, self.file, f"{self._below(key)}[{number}]"))
        return made

    def texts(self, key: str) -> tuple[str, ...]:
        """A text, or a list of texts; empty where it is not there."""
        found = self._take(key, (str, CommentedSeq), "a text or a list of texts", "")
        items = [found] if isinstance(found, str) else list(found)
        if not all(isinstance(item, str) and item for item in items if item != ""):
            raise self.wrong(key, _kind(found), "texts")
        return tuple(str(item) for item in items if item)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """A mapping of texts to texts, in its order; empty where it is not there."""
        found: CommentedMap | None = self._take(key, CommentedMap, "a mapping", None, missing=True)
        for name, value in (found or {}).items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise self.wrong(f"{key}.{name}", _kind(value), "a text")
        return tuple((str(name), str(value)) for name, value in (found or {}).items())

    def has(self, key: str) -> bool:
        """Whether ``key`` stands here."""
        return key in self._read

    def is_list(self, key: str) -> bool:
        """Whether a list stands below ``key``."""
        return isinstance(self._read.get(key), CommentedSeq)

    def close(self) -> None:
        """Raises: PackageError for a key that nobody took."""
        for key in self._left:
            near = get_close_matches(str(key), sorted(self._asked), 1)
            known = near or sorted(self._asked)
            raise self.wrong(str(key), "a key that means nothing here", ", ".join(known), key)

    def wrong(self, key: str, found: str, expected: str, at: object = None, line: int | None = None) -> PackageError:
        """The error for ``key``."""
        if line is None:
            known = at if at is not None else key
            line = self._read.lc.key(known)[0] if known in self._read else self._read.lc.line
        return PackageError(f"{self.file}:{line + 1}: {self._below(key)}: found {found}, expected {expected}")

    def _below(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _take(self, key: str, types: Any, expected: str, default: Any, *, missing: bool = False) -> Any:
        self._left.pop(key, None)
        self._asked.add(key)
        found = self._read.get(key, _NONE)
        if found is _NONE:
            if default is None and not missing:
                raise self.wrong(key, "nothing", expected)
            return default
        wants_flag = types is bool
        if not isinstance(found, types) or (isinstance(found, bool) and not wants_flag) or found == "":
            raise self.wrong(key, _kind(found), expected)
        return str(found) if isinstance(found, str) else found


def _kind(found: object) -> str:
    if isinstance(found, CommentedMap):
        return "a mapping"
    if isinstance(found, CommentedSeq):
        return "a list"
    return "nothing" if found is None else repr(found)[:80]


def _line(found: CommentedSeq | None, number: int) -> int | None:
    return None if found is None else int(found.lc.item(number)[0])
