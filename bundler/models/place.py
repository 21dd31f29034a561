"""Where in a model something was found, so that every error says it in the same words.

Rules: names that come from a file are shown shortened and escaped, for they may hold anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from bundler.errors import SpecError

AGAIN = "the file is damaged or not finished: take another revision of the model, or copy it again"


def shown(name: str) -> str:
    """``name`` for people: as it is when printable and short, else escaped and shortened."""
    return name if name.isprintable() and len(name) <= 200 else ascii(name[:100])


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a model; ``where`` is the model's own place in bundle.yml."""

    where: str
    path: str

    def fault(self, message: str, *, hint: str = AGAIN) -> SpecError:
        """The error that says what is wrong with this file; the caller raises it."""
        return SpecError(f"{self.where}: {shown(self.path)}: {message}", hint=hint)
