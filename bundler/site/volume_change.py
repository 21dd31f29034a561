"""The sums files of volumes that are about to change: computed before a byte is written, and never over damage."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from bundler.digest import Digest
from bundler.disk import is_there, read_bounded
from bundler.errors import IntegrityError
from bundler.layout.volumes import split_name
from bundler.progress import Progress
from bundler.site.medium import CHUNK, Medium

_SUM = re.compile(r"([0-9a-f]{64}) [ *](.+)\n?")
_DAMAGED = "Nothing was written. Copy the volume again."


def new_sums(medium: Medium, names: Sequence[str], start: int, new: bytes, progress: Progress) -> dict[str, Digest]:
    """The digests that volumes ``names`` will have with ``new`` at ``start`` of the bundle, of those with a sums file.

    Raises: IntegrityError when a volume is not what its sums file says now; MachineError.
    """
    found = {}
    progress.begin(f"signing {medium.stem}", len(names) * medium.volume_size)
    try:
        for name in names:
            path = medium.folder / f"{name}.sha256"
            if is_there(path):
                match = _SUM.fullmatch(read_bounded(path, 4096).decode("utf-8", "replace"))
                _, number = split_name(name) or (name, 1)
                before, after = _hashes(medium, number, start, new, progress)
                if not match or match[1] != before or match[2] != name:
                    raise IntegrityError(f"{name}: is not what {path.name} says", hint=_DAMAGED)
                found[name] = Digest(after)
    finally:
        progress.end()
    return found


def _hashes(medium: Medium, number: int, start: int, new: bytes, progress: Progress) -> tuple[str, str]:
    """The SHA-256 of volume ``number`` as it is, and as it will be with ``new`` at ``start`` of the bundle."""
    before, after = hashlib.sha256(), hashlib.sha256()
    at = (number - 1) * medium.volume_size
    end = min(at + medium.volume_size, medium.size)
    buffer = memoryview(bytearray(CHUNK))
    while at < end:
        view = buffer[: min(CHUNK, end - at)]
        fault = medium.read(at, view)
        if fault:
            raise IntegrityError(f"{fault.volume}: {fault.reason}", hint="Nothing was written. Copy the volume again.")
        before.update(view)
        low, high = max(at, start), min(at + len(view), start + len(new))
        if low < high:
            view[low - at : high - at] = new[low - start : high - start]
        after.update(view)
        at += len(view)
        progress.advance(len(view))
    return before.hexdigest(), after.hexdigest()
