"""What a check finds: frozen values, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, or may be. ``line`` and ``column`` count from 1; ``found`` never shows a secret.

    ``path`` is the setting in dots, empty for a fault of the file. ``message`` says what it means for the user, ``fix``
    what to do.
    """

    line: int
    column: int
    rule: str
    level: Level
    path: str
    found: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings about one file, sorted by place; ``where`` is how the file is named in reports."""

    where: str
    items: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def of(self, level: Level) -> tuple[Finding, ...]:
        """The findings of one level."""
        return tuple(finding for finding in self.items if finding.level == level)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those that keep Kibana from starting, or the connector from working."""
        return self.of("error")
