"""The one rule for relative paths from outside: in bundle.yml, a hub's listing, a lock, a manifest.

A path is relative, ``/`` between parts, UTF-8, free of everything that would need quoting in SHA256SUMS or could
lead out of the folder that it is joined to.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_MAX_PATH: Final = 1024
_MAX_PART: Final = 255
# Control and format characters (with those that turn the direction of writing), surrogates, line separators.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def path_fault(path: str) -> str | None:
    """Why ``path`` cannot be such a path, or None when it can."""
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    if not path or path.startswith("/"):
        return "is empty" if not path else "is absolute"
    if "\\" in path or _UNSEEN & set(map(unicodedata.category, path)):
        return "holds a control character or a backslash"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "holds an empty part, '.' or '..'"
    if len(encoded) > _MAX_PATH or any(len(part.encode()) > _MAX_PART for part in parts):
        return f"is longer than {_MAX_PATH} bytes, or a part of it longer than {_MAX_PART}"
    return None
