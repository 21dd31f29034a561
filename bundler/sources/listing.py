"""What a look-up of a model found: its files with sizes and digests. One value for every kind."""

from __future__ import annotations

from dataclasses import dataclass

from bundler.digest import Digest


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a model: its path (``/`` between parts, relative), size in bytes and digest."""

    path: str
    size: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class Listing:
    """The chosen files of a model in path order, and what the user should know of the choice.

    ``commit`` is the revision that was found, None where the source has none; ``license`` what the source
    states.
    """

    commit: str | None
    license: str | None
    files: tuple[ListedFile, ...]
    notes: tuple[str, ...] = ()
