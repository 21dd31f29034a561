"""Verifying a bundle whose manifest is damaged: from header to header, by the digests that SHA256SUMS still has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.layout.member import MANIFEST
from bundler.progress import Progress
from bundler.site.header import Found, read_header
from bundler.site.medium import CHUNK, Medium
from bundler.site.opening import Head
from bundler.site.report import Damage, Report
from bundler.trust import sums


def verify_by_walking(medium: Medium, head: Head, progress: Progress) -> Report:
    """Hash whatever can be reached from ``head`` on and compare it with the sums, where those can be read."""
    try:
        listed = dict(sums.decode(head.sums))
    except IntegrityError:
        listed = {}
    listed.pop(MANIFEST, None)
    promised = len(listed)
    progress.begin(f"verifying {medium.stem}", medium.size)
    try:
        checked, damages = 0, []
        for found in _members(medium, head.rest):
            damage = _compare(medium, found, head.top, listed, progress)
            checked += found.size if damage is None else 0
            damages += [damage] if damage else []
    finally:
        progress.end()
    damages += [Damage(path, None, "was not found") for path in listed]
    good = promised - len({damage.path for damage in damages})
    return Report(max(0, good), checked, head.seal.state, tuple(damages), signed_by=head.seal.by)


def _members(medium: Medium, position: int) -> Iterator[Found]:
    """The headers from ``position`` on, as far as one leads to the next."""
    while True:
        found = read_header(medium, position)
        if not isinstance(found, Found):
            return
        yield found
        position = found.next


def _compare(medium: Medium, found: Found, top: str, listed: dict[str, Digest], progress: Progress) -> Damage | None:
    """Take the member off ``listed``; what is wrong with it."""
    path = found.name.removeprefix(f"{top}/")
    expected = listed.pop(path, None)
    if expected is None:
        return Damage(path, None, "SHA256SUMS does not list it")
    volume = medium.names(found.data, found.size)[0] if medium.cut else None
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(CHUNK))
    at, end = found.data, found.data + found.size
    while at < end:
        view = buffer[: min(CHUNK, end - at)]
        fault = medium.read(at, view)
        if fault:
            return Damage(path, fault.volume if medium.cut else None, fault.reason)
        digest.update(view)
        at += len(view)
        progress.advance(len(view))
    if digest.hexdigest() == expected.hex:
        return None
    return Damage(path, volume, f"expected {expected}, found sha256:{digest.hexdigest()}")
