"""Relative paths that are to lie beside each other; ``relpath`` has the rule for each of them alone.

Rules: no two paths that a file system which ignores case, or composes accents, would take for one, and no file that
is another's folder.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def clash(paths: Iterable[str]) -> tuple[str, str, str] | None:
    """The first two of ``paths`` that cannot lie beside each other and why, or None."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in files:
            return files[folded], path, "are the same name where case does not count"
        if folded in folders:
            return folders[folded], path, "cannot both be: one is a folder of the other"
        files[folded] = path
        parts = folded.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            if folder in files:
                return files[folder], path, "cannot both be: one is a folder of the other"
            folders[folder] = path
    return None
