"""Where the files of a model are read from: the hub, a folder, a bundle. The readers live elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class ModelFiles(Protocol):
    """The files of one model, read in ranges and never as a whole."""

    @property
    def paths(self) -> Mapping[str, int]:
        """Path (``/`` between parts, relative) to size in bytes."""

    def read(self, path: str, start: int, length: int) -> bytes:
        """Exactly ``length`` bytes of ``path`` from ``start`` on.

        Raises: BundleError when they cannot be had, also when the file is shorter than ``paths`` says.
        """
