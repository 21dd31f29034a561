"""Verifying a bundle on its medium: every byte of it, in one read, on all cores, without unpacking.

Found are: a flipped bit anywhere (data, headers, padding), truncation, trailing data, a missing or an additional
member, a missing volume. Every damaged member is named, with the volume that it lies in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from bundler.crew import each
from bundler.disk import is_folder
from bundler.errors import IntegrityError
from bundler.layout.arrangement import Slot
from bundler.layout.member import MANIFEST, SUMS
from bundler.progress import SILENT, Progress
from bundler.site import folder, walk
from bundler.site.medium import CHUNK, Medium, find
from bundler.site.opening import Head, Opened, read_head, settle
from bundler.site.report import Damage, Report, refusal
from bundler.site.volume_check import guilty
from bundler.trust.keys import PublicKey
from bundler.trust.signature import SignatureRefused


def verify(paths: Sequence[Path], progress: Progress = SILENT, *, keys: Sequence[PublicKey] | None = None) -> Report:
    """Verify the tar, the volumes or the unpacked folder that ``paths`` mean.

    With ``keys``, one of them must have signed it: else nothing but sums and signature is read, and the report says so.

    Raises: MachineError when it cannot be read at all; IntegrityError when it is no bundle; UsageError.
    """
    if len(paths) == 1 and is_folder(paths[0]):
        return folder.verify_folder(paths[0], progress, keys=keys)
    with find(paths) as medium:
        return verify_medium(medium, progress, keys=keys)


def verify_medium(medium: Medium, progress: Progress = SILENT, *, keys: Sequence[PublicKey] | None = None) -> Report:
    """See ``verify``."""
    _require_start(medium)
    try:
        head = read_head(medium, keys)
    except SignatureRefused as refused:
        return refusal(refused)
    try:
        opened = settle(medium, head)
    except IntegrityError as error:
        return _without_manifest(medium, head, error, progress)
    return verify_opened(medium, opened, progress)


def verify_opened(medium: Medium, opened: Opened, progress: Progress = SILENT) -> Report:
    """Verify all that follows from a manifest that can be believed."""
    arrangement = opened.arrangement
    progress.begin(f"verifying {medium.stem}", sum(slot.member.size for slot in arrangement.slots))
    try:
        slots = sorted(arrangement.slots, key=lambda slot: -slot.member.size)
        found = each(slots, lambda slot, buffer: _check(medium, slot, buffer, progress), chunk=CHUNK)
    finally:
        progress.end()
    good = [slot.member.size for slot, bad in found if not bad]
    report = Report(
        members=len(good),
        bytes=sum(good),
        signature=opened.seal.state,
        signed_by=opened.seal.by,
        damaged=(),
        manifest=opened.manifest,
        manifest_digest=opened.manifest_digest,
    )
    parts = [*frame(medium, opened), *(damage for _, bad in found for damage in bad)]
    return report.with_damage(ends(medium, arrangement.size), parts)


def _require_start(medium: Medium) -> None:
    """Without volume 001 there is no manifest: nothing can be said but that."""
    if medium.cut and medium.missing(medium.size):
        absent = medium.missing(medium.size)
        if absent[0].endswith(".001"):
            raise IntegrityError(
                f"missing volumes: {', '.join(absent)}",
                hint=f"{absent[0]} holds the list of everything; the others can be checked by their .sha256 files.",
            )


def ends(medium: Medium, total: int) -> Iterator[Damage]:
    """Missing volumes, truncation, trailing data."""
    for name in medium.missing(total):
        yield Damage(medium.stem, name, "the volume is missing")
    for name, excess in medium.overlong():
        yield Damage(medium.stem, name, f"{excess:,} bytes too many: it is longer than the other volumes")
    last = medium.names(max(0, medium.size - 1), 1)[-1] if medium.cut else None
    if medium.size > total:
        yield Damage(
            medium.stem, last, f"{medium.size - total:,} bytes too many: trailing data after the end of the bundle"
        )
    elif medium.size < total and not medium.missing(total):
        yield Damage(medium.stem, last, f"{total - medium.size:,} bytes are missing at the end: truncated")


def frame(medium: Medium, opened: Opened) -> Iterator[Damage]:
    """Headers and padding, compared byte for byte with what they must be."""
    arrangement = opened.arrangement
    owners = [slot.member.path for slot in arrangement.slots] + ["the end of the archive"]
    for owner, (offset, expected) in zip(owners, arrangement.frame(), strict=True):
        data = bytearray(len(expected))
        fault = medium.read(offset, memoryview(data))
        if fault:
            yield Damage(owner, fault.volume if medium.cut else None, fault.reason)
        elif data != expected:
            first = next(i for i, (a, b) in enumerate(zip(data, expected, strict=True)) if a != b)
            volume = medium.names(offset + first, 1)[0]
            yield Damage(
                owner, volume if medium.cut else None, f"its header or padding is changed at byte {offset + first:,}"
            )


def _check(medium: Medium, slot: Slot, buffer: memoryview, progress: Progress) -> tuple[Slot, list[Damage]]:
    """Hash one member, and say how it is damaged if it is."""
    digest = hashlib.sha256()
    at = slot.data
    while at < slot.end:
        view = buffer[: min(len(buffer), slot.end - at)]
        fault = medium.read(at, view)
        if fault:
            return slot, [Damage(slot.member.path, fault.volume if medium.cut else None, fault.reason)]
        digest.update(view)
        at += len(view)
        progress.advance(len(view))
    if digest.hexdigest() == slot.member.digest.hex:
        return slot, []
    return slot, guilty(medium, slot, f"expected {slot.member.digest}, found sha256:{digest.hexdigest()}")


def _without_manifest(medium: Medium, head: Head, error: IntegrityError, progress: Progress) -> Report:
    """The sums and the manifest disagree: name what is damaged by walking from header to header."""
    path = SUMS if error.message.startswith(SUMS) else MANIFEST
    volume = medium.names(0, 1)[0] if medium.cut else None
    report = walk.verify_by_walking(medium, head, progress)
    return report.with_damage([Damage(path, volume, error.message)], [])
