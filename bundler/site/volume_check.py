"""Which volume a damage lies in, when a member lies in several: their own sums files tell."""

from __future__ import annotations

import hashlib
import re

from bundler.disk import read_bounded
from bundler.errors import MachineError
from bundler.layout.arrangement import Slot
from bundler.site.medium import CHUNK, Medium
from bundler.site.report import Damage

_SUM = re.compile(r"([0-9a-f]{64}) [ *](.+)\n?")


def guilty(medium: Medium, slot: Slot, reason: str) -> list[Damage]:
    """The damage of ``slot``, a row for each volume that it may lie in."""
    path = slot.member.path
    if not medium.cut:
        return [Damage(path, None, reason)]
    touched = medium.names(slot.data, slot.member.size)
    if len(touched) > 1:
        touched = tuple(name for name in touched if _matches(medium, name) is False) or touched
    return [Damage(path, name, reason) for name in touched]


def _matches(medium: Medium, name: str) -> bool | None:
    """Whether volume ``name`` is what its sums file says; None where there is no such file to be had."""
    try:
        match = _SUM.fullmatch(read_bounded(medium.folder / f"{name}.sha256", 4096).decode("utf-8", "replace"))
    except MachineError:
        return None
    if not match or match[2] != name:
        return None
    number = int(name[-3:])
    at = (number - 1) * medium.volume_size
    end = min(at + medium.volume_size, medium.size)
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(CHUNK))
    while at < end:
        view = buffer[: min(CHUNK, end - at)]
        if medium.read(at, view):
            return False
        digest.update(view)
        at += len(view)
    return digest.hexdigest() == match[1]
