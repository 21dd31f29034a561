"""Walk through the head of a file in growing pieces, so that only as much is read as the head is long.

Rules: nothing is kept but the piece in hand; what is skipped and not yet read is never read; position and
number of items are bounded, so that a hostile head costs seconds and megabytes, not hours and gigabytes.
"""

from __future__ import annotations

import struct

from bundler.models.interface import ModelFiles
from bundler.models.place import Place

_FIRST_PIECE = 1 << 20
_LARGEST_PIECE = 16 << 20
HEAD_LIMIT = 256 << 20
ITEM_LIMIT = 4_000_000


class Cursor:
    """A little-endian reader that stands at ``position``, in bytes from the file's start."""

    def __init__(self, files: ModelFiles, place: Place) -> None:
        self.position = 0
        self.place = place
        self.size = files.paths[place.path]
        self._files = files
        self._piece = b""
        self._piece_start = 0
        self._next_size = _FIRST_PIECE
        self._items = 0

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes. Raises: SpecError when the file or the allowed head ends before."""
        if length == 0:
            return b""
        start = self.position
        self.skip(length)
        offset = start - self._piece_start
        if offset < 0 or offset + length > len(self._piece):
            self._fetch(start, length)
            offset = 0
        return self._piece[offset : offset + length]

    def skip(self, length: int) -> None:
        """Step over ``length`` bytes. Raises: SpecError when the file or the allowed head ends before."""
        end = self.position + length
        if end > self.size:
            raise self.place.fault(
                f"at byte {self.position:,}: {length:,} more bytes are announced, the file has {self.size:,}"
            )
        if end > HEAD_LIMIT:
            raise self.place.fault(f"the head is longer than {HEAD_LIMIT:,} bytes")
        self.position = end

    def count(self, items: int, what: str) -> int:
        """``items`` as it is, once it is certain that the head may hold so many. Raises: SpecError."""
        self._items += items
        if self._items > ITEM_LIMIT:
            raise self.place.fault(f"announces {items:,} {what}; expected at most {ITEM_LIMIT:,} items in all")
        return items

    def number(self, form: str) -> int | float:
        """The next number, of the little-endian ``struct`` form given."""
        (found,) = struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))
        return found  # type: ignore[no-any-return]

    def u32(self) -> int:
        """The next unsigned 32 bits."""
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        """The next unsigned 64 bits."""
        return int.from_bytes(self.take(8), "little")

    def _fetch(self, start: int, length: int) -> None:
        size = min(max(length, self._next_size), self.size - start)
        self._piece = self._files.read(self.place.path, start, size)
        self._piece_start = start
        self._next_size = min(self._next_size * 2, _LARGEST_PIECE)
