"""Volumes: a bundle cut into numbered files of equal size; ``cat`` joins them.

Volume N of ``NAME.tar`` is ``NAME.tar.NNN``, from 001 on. Each holds a range of the bundle's bytes and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST: Final = 999
SMALLEST: Final = 1 << 20

_SIZE = re.compile(r"(\d{1,12})(?:\.(\d{1,3}))?\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_NUMBERED = re.compile(r"(.+)\.(\d{3})")


@dataclass(frozen=True, slots=True)
class Cut:
    """How ``total`` bytes are cut: into volumes of ``volume_size`` bytes, or not at all when that is None."""

    name: str
    total: int
    volume_size: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The file names, in order."""
        if self.volume_size is None:
            return (self.name,)
        count = -(-self.total // self.volume_size)
        return tuple(volume_name(self.name, number) for number in range(1, count + 1))

    def size_of(self, index: int) -> int:
        """The size in bytes of file ``index``, counted from 0."""
        if self.volume_size is None:
            return self.total
        return min(self.volume_size, self.total - index * self.volume_size)

    def pieces(self, offset: int, length: int) -> Iterator[tuple[int, int, int]]:
        """The parts of a range of bytes: (file index from 0, offset in that file, length)."""
        if self.volume_size is None:
            yield 0, offset, length
            return
        while length > 0:
            index, within = divmod(offset, self.volume_size)
            part = min(length, self.volume_size - within)
            yield index, within, part
            offset, length = offset + part, length - part


def volume_name(name: str, number: int) -> str:
    """The name of volume ``number``, counted from 1."""
    return f"{name}.{number:03d}"


def split_name(name: str) -> tuple[str, int] | None:
    """``("x.tar", 2)`` for ``x.tar.002``, None for a name that is no volume's."""
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def parse_size(text: str) -> int:
    """Bytes from ``4GiB``, ``700MB``, ``1.5 GB`` or a plain number. Raises: ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"expected a size such as 4GiB, 700MB or 4294967296, found {text[:40]!r}")
    base = 1024 if match[4] else 1000
    fraction = int((match[2] or "0").ljust(3, "0"))
    unit: int = base ** _POWER[match[3].lower()]
    return (int(match[1]) * 1000 + fraction) * unit // 1000
