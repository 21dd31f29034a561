"""Where every byte of a bundle lies: the members of a top folder, laid one after the other.

Made from the list of members alone, so that the site rebuilds every header of a bundle from its manifest and the
builder knows every offset before the first download. A bundle without a signature has the room of one in the padding
of the manifest's header: signing it later moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bundler.digest import Digest
from bundler.layout import tar
from bundler.layout.member import SIGNATURE, SIGNATURE_BYTES, Member


@dataclass(frozen=True, slots=True)
class Slot:
    """A member's place: where its headers start and where its data does, in bytes from the bundle's start."""

    member: Member
    start: int
    data: int

    @property
    def end(self) -> int:
        """Where the data ends; zero bytes follow up to a multiple of 512."""
        return self.data + self.member.size


@dataclass(frozen=True, slots=True)
class Arrangement:
    """All slots of one bundle in order, and its size in bytes."""

    top: str
    mtime: int
    slots: tuple[Slot, ...]
    size: int

    def header(self, slot: Slot) -> bytes:
        """The headers that stand from ``slot.start`` to ``slot.data``."""
        member = slot.member
        return tar.header(f"{self.top}/{member.path}", member.size, member.mode, self.mtime, slot.data - slot.start)

    def frame(self) -> Iterator[tuple[int, bytes]]:
        """Everything that is no member's data: (offset, bytes) of each stretch between the members, in order."""
        before = b""
        at = 0
        for slot in self.slots:
            yield at, before + self.header(slot)
            at, before = slot.end, bytes(tar.padding(slot.member.size))
        yield at, before + tar.END


def arrange(top: str, members: Iterable[Member], mtime: int) -> Arrangement:
    """Lay ``members``, in the order given, into an archive whose top folder is ``top``."""
    slots: list[Slot] = []
    position = 0
    signed = False
    for member in members:
        signed = signed or member.role == "signature"
        room = 0 if signed or member.role != "manifest" else _signature_room(top, position)
        data = position + room + tar.header_length(f"{top}/{member.path}", member.size, position + room)
        slots.append(Slot(member, position, data))
        position = data + member.size + tar.padding(member.size)
    return Arrangement(top, mtime, tuple(slots), position + len(tar.END))


def with_signature(arrangement: Arrangement, signature: bytes) -> Arrangement:
    """The same bundle with this signature, of at most SIGNATURE_BYTES, instead of one that it may have."""
    first, *rest = (slot.member for slot in arrangement.slots if slot.member.role != "signature")
    member = Member(SIGNATURE, len(signature), Digest.of(signature), "signature")
    return arrange(arrangement.top, [first, member, *rest], arrangement.mtime)


def _signature_room(top: str, position: int) -> int:
    """What a signature at ``position`` takes, headers included; it has at most SIGNATURE_BYTES."""
    return tar.header_length(f"{top}/{SIGNATURE}", SIGNATURE_BYTES, position) + SIGNATURE_BYTES
