"""What differs between two bundles, from their manifests. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bundler.layout.manifest import Manifest
from bundler.layout.member import Member


@dataclass(frozen=True, slots=True)
class Change:
    """A member that is only in one bundle, or differs; sizes in bytes, None where it is not there."""

    path: str
    change: str
    old_size: int | None
    new_size: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``fields``: what the manifests themselves say that differs, name → (old, new); ``new_bytes``: what OLD lacks."""

    fields: Mapping[str, tuple[str | None, str | None]]
    changes: tuple[Change, ...]
    new_bytes: int

    @property
    def same(self) -> bool:
        """Whether the two are one and the same bundle."""
        return not self.fields and not self.changes


def compare(old: Manifest, new: Manifest) -> Comparison:
    """Compare member by member, by path and digest."""
    before = {member.path: member for member in old.members}
    after = {member.path: member for member in new.members}
    rows = [_change(path, before.get(path), after.get(path)) for path in sorted({*before, *after})]
    known = {member.digest for member in old.members}
    additional = {member.digest: member.size for member in new.members if member.digest not in known}
    return Comparison(_fields(old, new), tuple(row for row in rows if row), sum(additional.values()))


def _change(path: str, old: Member | None, new: Member | None) -> Change | None:
    if old == new:
        return None
    word = "added" if old is None else "removed" if new is None else "changed"
    return Change(path, word, old.size if old else None, new.size if new else None)


def _fields(old: Manifest, new: Manifest) -> dict[str, tuple[str | None, str | None]]:
    """What a person wants to see first: names, versions, images and commits."""
    before, after = _words(old), _words(new)
    return {
        key: (before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    }


def _words(manifest: Manifest) -> dict[str, str | None]:
    words = {
        "name": manifest.name,
        "version": manifest.version,
        "platform": manifest.platform,
        "stack": manifest.stack,
        "tool": manifest.tool,
        "created": str(manifest.created),
    }
    words |= {f"image {image.role}": f"{image.name} {image.digest}" for image in manifest.images}
    return words | {f"model {model.id}": model.commit or "without commit" for model in manifest.models}
