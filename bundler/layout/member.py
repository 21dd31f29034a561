"""Members of a bundle: their roles, their order, and the rules for their paths.

Paths are relative to the bundle's top folder and keep the rule of ``relpath``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bundler.digest import Digest

SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SHA256SUMS.sig"
MANIFEST: Final = "manifest.json"

SIGNATURE_BYTES: Final = 512
"""The most that a signature can have: one block. ECDSA over P-256 takes some 70 bytes."""

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

MAX_MEMBERS: Final = 100_000


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
