"""The registry of sources: which one opens which kind of origin. A new kind is a new file and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bundler.sources.interface import Origin, Reader, Source


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of a run behind the interface of one, by the type of the origin."""

    by_kind: Mapping[type, Source]

    def open(self, origin: Origin, offset: int) -> Reader:
        """See ``Source.open``."""
        return self.by_kind[type(origin)].open(origin, offset)
