"""Reading JSON that may say anything: one object, field by field, every complaint with its place."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeVar

from bundler.digest import Digest
from bundler.errors import BundleError

T = TypeVar("T")

MAX_SIZE: Final = 1 << 53
"""The largest size in bytes that every JSON reader keeps exact."""

_MAX_TEXT: Final = 4096
# Python takes some 60 bytes for what JSON writes in three: a file of 64 MiB could fill the memory.
_MAX_VALUES: Final = 3_000_000
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half a character: JSON can write it, UTF-8 cannot."""


def parse(data: bytes, where: str, error: type[BundleError], *, hint: str = "") -> Row:
    """The object that ``data`` is to every JSON reader: in UTF-8, no key twice, no NaN, and bounded.

    Raises: ``error``.
    """
    return Row(_document(data, where, error, hint), where, error)


def parse_rows(data: bytes, where: str, error: type[BundleError], *, hint: str = "") -> tuple[Row, ...]:
    """The objects of the list that ``data`` is, read as strictly. Raises: ``error``."""
    document = _document(data, where, error, hint)
    if not isinstance(document, list):
        raise error(f"{where}: expected a list, found {type(document).__name__}", hint=hint)
    return tuple(Row(item, f"{where}: [{position}]", error) for position, item in enumerate(document))


def _document(data: bytes, where: str, error: type[BundleError], hint: str) -> object:
    if sum(map(data.count, (b"{", b"[", b","))) > _MAX_VALUES:
        raise error(f"{where}: holds more than {_MAX_VALUES:,} values", hint=hint)
    try:
        document: object = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as found:
        raise error(f"{where}: not JSON ({str(found)[:120]})", hint=hint) from found
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice[:80]!a} stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


class Row:
    """A JSON object at ``where``; the methods raise ``error`` for what is not as it must be."""

    def __init__(self, value: object, where: str, error: type[BundleError]) -> None:
        if not isinstance(value, dict):
            raise error(f"{where}: expected an object, found {type(value).__name__}")
        self.value: dict[str, Any] = value
        self.where = where
        self._error = error

    def wrong(self, key: str, expected: str) -> BundleError:
        """The complaint that ``key`` is not what was ``expected``."""
        found = repr(self.value.get(key))
        return self._error(f"{self.where}: {key}: expected {expected}, found {found[:80]}")

    def text(self, key: str, most: int = _MAX_TEXT) -> str:
        """A text of 1 to ``most`` characters."""
        value = self.value.get(key)
        if not isinstance(value, str) or not value or len(value) > most or _SURROGATE.search(value):
            raise self.wrong(key, "a text")
        return value

    def optional(self, key: str) -> str | None:
        """A text, or None where it is null or absent."""
        return None if self.value.get(key) is None else self.text(key)

    def number(self, key: str, most: int = MAX_SIZE) -> int:
        """A whole number from 0 to ``most``; true and 1.0 are none."""
        value = self.value.get(key)
        if type(value) is not int or not 0 <= value <= most:
            raise self.wrong(key, f"a whole number from 0 to {most}")
        return value

    def optional_number(self, key: str) -> int | None:
        """A whole number, or None where it is null or absent."""
        return None if self.value.get(key) is None else self.number(key)

    def digest(self, key: str, prefix: str = "") -> Digest:
        """A digest as OCI writes it; ``prefix`` is put before what stands there."""
        try:
            return Digest.parse(prefix + self.text(key))
        except ValueError:
            raise self.wrong(key, "a SHA-256 digest") from None

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        """A list of at most ``most`` texts, which may be empty."""
        value = self.value.get(key)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(key, f"a list of at most {most} texts")
        if any(not isinstance(one, str) or len(one) > _MAX_TEXT or _SURROGATE.search(one) for one in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def mapping(self, key: str) -> dict[str, Any]:
        """An object as it is."""
        value = self.value.get(key)
        if not isinstance(value, dict) or _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            raise self.wrong(key, "an object")
        return value

    def row(self, key: str) -> Row:
        """An object to be read field by field."""
        return type(self)(self.value.get(key), f"{self.where}: {key}", self._error)

    def rows(self, key: str, read: Callable[[Row], T], most: int) -> tuple[T, ...]:
        """A list of at most ``most`` objects, each read by ``read``."""
        value = self.value.get(key)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(key, f"a list of at most {most}")
        return tuple(read(type(self)(item, f"{self.where}: {key}[{i}]", self._error)) for i, item in enumerate(value))
