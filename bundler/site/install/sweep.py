"""What commands that were killed have left beside files that they were about to replace. Tokens may be in it."""

from __future__ import annotations

import re
from typing import Final

from bundler.disk import guarded, is_folder
from bundler.site.place import Place
from bundler.site.tokens.store import TokenStore

_LEFT: Final = re.compile(r"\..+\.[0-9]+\.new")
"""As ``write_whole`` calls a file before it has its name."""

_FOLDERS: Final = ("work/*", "work/*/nginx")
"""Not what lies in caches: the engine's container makes names there."""


def sweep(place: Place) -> None:
    """Remove it. Use this inside ``holding``. Raises: MachineError."""
    if is_folder(place.secrets):
        with TokenStore(place.root).locked():
            _sweep(place, "secrets", "secrets/*")
    _sweep(place, *_FOLDERS)


def _sweep(place: Place, *folders: str) -> None:
    with guarded(place.root, "tidy up"):
        for folder in folders:
            for path in place.root.glob(f"{folder}/.*.new"):
                if _LEFT.fullmatch(path.name):
                    path.unlink()
