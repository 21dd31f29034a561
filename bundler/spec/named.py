"""``model://ID`` and ``extra://PATH`` in ``serve.args``: other parts of the bundle, wherever the site will have them.

Rules: an argument may be one, or hold one, as in JSON (``{"model": "model://org/draft"}``). They stand for models of
``models:`` and for files of ``files:`` (``extra://x`` is the one at ``extra/x``); names that have other characters than
those below cannot be named so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

NAME: Final = re.compile("[A-Za-z0-9._/-]*")
_FORM: Final = re.compile(rf"(?<![A-Za-z0-9+.-])(model|extra)://({NAME.pattern})")


@dataclass(frozen=True, slots=True)
class Named:
    """A part of the bundle that an argument names: ``kind`` is model or extra."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}://{self.name}"


def named(argument: str) -> tuple[Named, ...]:
    """What ``argument`` names, in its order."""
    return tuple(Named(kind, name) for kind, name in _FORM.findall(argument))


def replaced(argument: str, place: Callable[[Named], str]) -> str:
    """``argument`` with what ``place`` returns for each part that it names."""
    return _FORM.sub(lambda found: place(Named(found[1], found[2])), argument)
