"""Reading one small member of a bundle that has not been unpacked, checked against the manifest's digest."""

from __future__ import annotations

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.site.medium import Medium
from bundler.site.opening import Opened


def read_member(medium: Medium, opened: Opened, path: str, limit: int) -> bytes | None:
    """The bytes of the member ``path``, None when the bundle has none.

    Raises: IntegrityError when it is larger than ``limit`` bytes, damaged, or cannot be read.
    """
    slot = next((slot for slot in opened.arrangement.slots if slot.member.path == path), None)
    if slot is None:
        return None
    if slot.member.size > limit:
        raise IntegrityError(f"{path}: expected at most {limit:,} bytes, found {slot.member.size:,}")
    data = bytearray(slot.member.size)
    fault = medium.read(slot.data, memoryview(data))
    if fault:
        raise IntegrityError(f"{path}: {fault.volume}: {fault.reason}")
    if Digest.of(bytes(data)) != slot.member.digest:
        raise IntegrityError(f"{path}: expected {slot.member.digest}, found another")
    return bytes(data)
