"""Where every byte of a bundle lies: the members of a top folder, laid one after the other.

Made from the list of members alone, so that the site rebuilds every header of a bundle from its manifest and the
builder knows every offset before the first download.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bundler.layout import tar
from bundler.layout.member import Member


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
        return tar.header(f"{self.top}/{member.path}", member.size, member.mode, self.mtime, slot.start)

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
    for member in members:
        data = position + tar.header_length(f"{top}/{member.path}", member.size, position)
        slots.append(Slot(member, position, data))
        position = data + member.size + tar.padding(member.size)
    return Arrangement(top, mtime, tuple(slots), position + len(tar.END))
