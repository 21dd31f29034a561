"""Relative paths that come from outside and become members of the bundle.

Rules: ``/`` between parts, none empty, ``.`` or ``..``; no backslash and no control character; and no two paths that
a file system which ignores case, or composes accents, would take for one, nor a file that is another's folder.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_LONGEST_PART = 255
_LONGEST = 1024


def path_problem(path: str) -> str | None:
    """What is wrong with ``path`` as a relative path, or None."""
    if path.startswith("/"):
        return "it begins with /"
    if "\\" in path:
        return "it holds a backslash"
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in path):
        return "it holds a control character"
    if any(part in ("", ".", "..") for part in path.split("/")):
        return "it holds an empty part, . or .."
    if len(path.encode()) > _LONGEST or any(len(p.encode()) > _LONGEST_PART for p in path.split("/")):
        return f"it is longer than {_LONGEST} bytes, or a part of it longer than {_LONGEST_PART}"
    return None


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
