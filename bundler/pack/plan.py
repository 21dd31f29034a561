"""The plan of a build: every member with where its bytes come from, and every offset, before the first download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from bundler.digest import Digest
from bundler.layout.arrangement import Arrangement, Slot, arrange, with_signature
from bundler.layout.manifest import Manifest
from bundler.layout.member import MANIFEST, SUMS, Member
from bundler.sources.interface import Origin
from bundler.trust import sums

Content: TypeAlias = "bytes | Origin"


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A member and its content: the bytes themselves, or where they are fetched from."""

    member: Member
    content: Content


@dataclass(frozen=True, slots=True)
class Plan:
    """``contents[i]`` belongs to ``arrangement.slots[i]``."""

    manifest_digest: Digest
    arrangement: Arrangement
    contents: tuple[Content, ...]

    @property
    def file_name(self) -> str:
        """``NAME-VERSION.tar``."""
        return f"{self.arrangement.top}.tar"

    @property
    def fetched(self) -> tuple[tuple[int, Slot, Origin], ...]:
        """(index, slot, origin) of every member that is not written from memory, the index counting these alone."""
        rows = zip(self.arrangement.slots, self.contents, strict=True)
        fetched = ((slot, content) for slot, content in rows if not isinstance(content, bytes))
        return tuple((index, slot, content) for index, (slot, content) in enumerate(fetched))

    @property
    def fetch_bytes(self) -> int:
        """How many bytes come from sources."""
        return sum(slot.member.size for _, slot, _ in self.fetched)


def signed(plan: Plan, sign: Callable[[bytes], bytes]) -> Plan:
    """``plan`` with what ``sign`` makes of the bytes of SHA256SUMS; every other member stays where it is."""
    listing, *others = plan.contents
    assert isinstance(listing, bytes)
    signature = sign(listing)
    return replace(
        plan,
        arrangement=with_signature(plan.arrangement, signature),
        contents=(listing, signature, *others),
    )


def inline(path: str, data: bytes, role: str) -> Ingredient:
    """A member whose bytes are known already."""
    return Ingredient(Member(path, len(data), Digest.of(data), role), data)


def make_plan(manifest: Manifest, ingredients: tuple[Ingredient, ...]) -> Plan:
    """Put SHA256SUMS and the manifest before the ingredients, which stand in the manifest's order."""
    encoded = manifest.encode()
    described = inline(MANIFEST, encoded, "manifest")
    listing = sums.encode([described.member, *manifest.members])
    whole = (inline(SUMS, listing, "sums"), described, *ingredients)
    arrangement = arrange(manifest.top, [item.member for item in whole], manifest.created)
    return Plan(described.member.digest, arrangement, tuple(item.content for item in whole))
