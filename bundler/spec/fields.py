"""Typed reading of the YAML tree: a field is a node with its path, a section a mapping whose keys are known.

Rules: every refusal says ``place: expected …, found …``; a value is never converted from another type, since
``version: 1.10`` would become 1.1.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from bundler.errors import SpecError
from bundler.spec.document import Mapping, Node, Scalar, Sequence
from bundler.spec.keys import Keys
from bundler.spec.wording import holds_token, nearest, place, quoted, step

_SECRET_KEY = re.compile(r"token|passw|secret|api_?key|credential|username", re.IGNORECASE)
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_LONGEST = 4096
_DIGITS = re.compile("[0-9]{1,18}")
SECRETS = "bundle.yml holds no secret: give it by the environment (HF_TOKEN) or by a login to the registry"


@dataclass(frozen=True, slots=True)
class Field:
    """A value of bundle.yml with its path, as in ``models[0].files``."""

    node: Node
    path: str
    where: str

    def error(self, message: str, *, hint: str = "", line: int | None = None) -> SpecError:
        """A refusal at this field; ``line`` counts from 1 and defaults to the field's own."""
        at = place(self.where, line or self.node.line, self.path)
        return SpecError(f"{at}: {message}", hint=hint)

    def expected(self, what: str, *, hint: str = "") -> SpecError:
        """The refusal ``expected <what>, found <the value>``."""
        return self.error(f"expected {what}, found {self._found()}", hint=hint)

    def text(self, what: str = "text") -> str:
        """A text of 1 to 4096 visible characters, no secret. Raises: SpecError."""
        if not isinstance(self.node, Scalar):
            raise self.expected(what)
        value = self.node.text
        if self.node.kind == "null":
            raise self.expected(what, hint="give a value or remove the key")
        if self.node.kind != "text":
            raise self.expected(what, hint=f'put it in quotes: "{value[:80]}"')
        if holds_token(value):
            raise self.error("what stands here looks like an access token", hint=SECRETS)
        if not 0 < len(value) <= _LONGEST:
            raise self.error(f"expected {what} of 1 to {_LONGEST} characters, found {len(value)}")
        hidden = next((c for c in value if unicodedata.category(c) in _INVISIBLE), None)
        if hidden:
            raise self.error(f"expected {what} of visible characters, found U+{ord(hidden):04X}")
        return value

    def matching(self, pattern: re.Pattern[str], what: str, *, hint: str = "") -> str:
        """A text that ``pattern`` matches as a whole. Raises: SpecError."""
        value = self.text(what)
        if not pattern.fullmatch(value):
            raise self.expected(what, hint=hint)
        return value

    def choice(self, options: Iterable[str]) -> str:
        """One of ``options``. Raises: SpecError that lists them."""
        known = tuple(options)
        value = self.text(what := "one of " + ", ".join(known))
        if value not in known:
            raise self.expected(what, hint=nearest(value, known))
        return value

    def integer(self, least: int, most: int, what: str) -> int:
        """A whole number from ``least`` to ``most``. Raises: SpecError."""
        wanted = f"{what} from {least} to {most}"
        node = self.node
        if not isinstance(node, Scalar) or node.kind != "integer" or not _DIGITS.fullmatch(node.text):
            raise self.expected(wanted, hint="write plain digits, without quotes, as in 65536")
        if not least <= int(node.text) <= most:
            raise self.expected(wanted)
        return int(node.text)

    def boolean(self) -> bool:
        """``true`` or ``false``. Raises: SpecError."""
        if not isinstance(self.node, Scalar) or self.node.kind != "boolean":
            raise self.expected("true or false", hint="write true or false, without quotes")
        return self.node.text.lower() == "true"

    def items(self, what: str = "a list") -> tuple[Field, ...]:
        """The entries of a list. Raises: SpecError."""
        if not isinstance(self.node, Sequence):
            raise self.expected(what, hint='begin each entry with "- " in a line of its own')
        return tuple(Field(n, f"{self.path}[{i}]", self.where) for i, n in enumerate(self.node.items))

    def texts(self) -> tuple[str, ...]:
        """The entries of a list of texts. Raises: SpecError."""
        return tuple(item.text() for item in self.items("a list of texts"))

    def pairs(self) -> dict[str, Field]:
        """A mapping whose keys are free. Raises: SpecError."""
        if not isinstance(self.node, Mapping):
            raise self.expected("a mapping (key: value)")
        return {e.key: Field(e.value, step(self.path, e.key), self.where) for e in self.node.entries}

    def section(self, keys: Keys) -> Section:
        """A mapping with these keys and no others. Raises: SpecError, with the nearest right key."""
        fields = self.pairs()
        assert isinstance(self.node, Mapping)
        for entry in self.node.entries:
            if entry.key not in keys.all:
                message = f"unknown key {quoted(entry.key)}; expected one of {', '.join(keys.all)}"
                hint = SECRETS if _SECRET_KEY.search(entry.key) else nearest(entry.key, keys.all)
                raise self.error(message, hint=hint, line=entry.line)
        for key in keys.required:
            if key not in fields:
                raise self.error(f'the key "{key}" is missing', hint=f"add {key}: …")
        return Section(self, fields)

    def _found(self) -> str:
        if isinstance(self.node, Sequence):
            return "a list"
        if isinstance(self.node, Mapping):
            return "a mapping"
        if self.node.kind == "null":
            return "nothing"
        if self.node.kind == "text":
            return quoted(self.node.text)
        word = "" if self.node.kind == "boolean" else "the number "
        return word + self.node.text[:80]


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping whose keys have been checked."""

    field: Field
    fields: dict[str, Field]

    def __getitem__(self, key: str) -> Field:
        return self.fields[key]

    def get(self, key: str) -> Field | None:
        """The field of an optional key."""
        return self.fields.get(key)
