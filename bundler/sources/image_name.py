"""What an image on disk is called in the bundle. No I/O.

Rules: a name that the image brings along is spelt out as registries' are (``nginx:1.29`` is
``docker.io/library/nginx:1.29``); without one it is ``localhost/<name of the file>:latest``, as Podman does
it.
"""

from __future__ import annotations

import re
from pathlib import Path

from bundler.spec.reference import ReferenceProblem, parse_reference


def full_name(text: str) -> str | None:
    """``text`` spelt out, or None when it is no name of an image."""
    try:
        return parse_reference(text).name
    except ReferenceProblem:
        return None


def made_name(path: Path, tag: str | None) -> str:
    """A name made from the name of a folder or archive, and a tag where it is one."""
    stem = re.sub("[^a-z0-9]+", "-", path.name.removesuffix(".tar").lower()).strip("-") or "image"
    fits = tag is not None and re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag)
    return f"localhost/{stem[:100].strip('-')}:{tag if fits else 'latest'}"
