"""Members of a bundle: their roles, their order, and the rules for their paths.

A path is relative to the bundle's top folder, ``/`` between parts, UTF-8, free of everything that would need
quoting in SHA256SUMS or could lead out of the folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bundler.digest import Digest

SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SHA256SUMS.sig"
MANIFEST: Final = "manifest.json"

# The order of the bundle. What is checked first comes first; what is large comes last.
ROLES: Final = (
    "sums",
    "signature",
    "manifest",
    "readme",
    "tool",
    "sbom",
    "config",
    "kibana",
    "elastic",
    "image",
    "model",
    "extra",
)
_RANK: Final = {role: rank for rank, role in enumerate(ROLES)}
_FIRST: Final = {SUMS: "sums", SIGNATURE: "signature", MANIFEST: "manifest"}
_SINGLE: Final = {"readme": "README.md", "tool": "llm-bundle.pex", "sbom": "sbom.cdx.json"}
_FOLDER: Final = {
    "config": "config/",
    "kibana": "kibana/",
    "elastic": "elastic/",
    "image": "images/",
    "model": "models/",
    "extra": "extra/",
}

MAX_SIZE: Final = 1 << 53
_MAX_PATH, _MAX_PART = 1024, 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\]")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a bundle; ``size`` is in bytes."""

    path: str
    size: int
    digest: Digest
    role: str

    @property
    def mode(self) -> int:
        """Permission bits in the tar: the tool can be run, everything else is read."""
        return 0o755 if self.role == "tool" else 0o644


def path_fault(path: str) -> str | None:
    """Why ``path`` cannot be a member's path, or None when it can."""
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    if not path or path.startswith("/"):
        return "is empty" if not path else "is absolute"
    if _CONTROL.search(path):
        return "holds a control character or a backslash"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "holds an empty part, '.' or '..'"
    if len(encoded) > _MAX_PATH or any(len(part.encode()) > _MAX_PART for part in parts):
        return f"is longer than {_MAX_PATH} bytes, or a part of it longer than {_MAX_PART}"
    return None


def role_fault(path: str, role: str) -> str | None:
    """Why a member with ``role`` cannot lie at ``path``, or None when it can."""
    if role in _FIRST.values() or path in _FIRST:
        return None if _FIRST.get(path) == role else f"cannot have the role {role!r}"
    if role in _SINGLE:
        return None if path == _SINGLE[role] else f"cannot have the role {role!r}"
    if role not in _FOLDER:
        return f"has an unknown role {role[:40]!r}"
    return None if path.startswith(_FOLDER[role]) else f"has the role {role!r} but is not below {_FOLDER[role]}"


def ordered(members: Iterable[Member]) -> tuple[Member, ...]:
    """``members`` in the order of the bundle: by role, then by the bytes of the path."""
    return tuple(sorted(members, key=lambda member: (_RANK[member.role], member.path.encode())))


def set_fault(members: Iterable[Member]) -> str | None:
    """Why ``members`` cannot lie in one folder (a path twice, a file that is also a folder), or None."""
    paths: set[str] = set()
    for member in members:
        if member.path in paths:
            return f"{member.path} is there twice"
        paths.add(member.path)
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent:
            if parent in paths:
                return f"{parent} is both a file and a folder (of {path})"
            parent = parent.rpartition("/")[0]
    return None
