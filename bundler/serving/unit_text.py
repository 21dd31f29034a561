"""Words of unit files: https://www.freedesktop.org/software/systemd/man/systemd.syntax.html, "Quoting".

Rules: ``%`` is doubled, since systemd puts its specifiers there; ``$`` is doubled only on command lines, where it
names variables; a control character is refused by whoever read the text from outside (``plan``).
"""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./\[\]-]+")


def word(text: str) -> str:
    """``text`` as one word of a list such as Environment= or PodmanArgs=."""
    doubled = text.replace("%", "%%")
    if _PLAIN.fullmatch(doubled):
        return doubled
    return '"' + doubled.replace("\\", "\\\\").replace('"', '\\"') + '"'


def argument(text: str) -> str:
    """``text`` as one argument of a command line."""
    return word(text.replace("$", "$$"))


def line(text: str) -> str:
    """``text`` as a whole value that is not split into words."""
    return text.replace("%", "%%")
