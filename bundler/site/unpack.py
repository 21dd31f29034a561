"""Unpacking a bundle: verified while it is written, into a folder of its own that gets its name only when all is good.

Nothing is created but regular files and folders at paths that the manifest's rules allow, inside a folder made for
this run. Where the file system can share blocks (XFS, btrfs) the data is shared instead of copied; what is hashed is
what was written, read back.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bundler.crew import each
from bundler.disk import disk_error, guarded, require_space, sync_folder
from bundler.errors import MachineError
from bundler.layout.arrangement import Slot
from bundler.layout.tar import ALIGNMENT
from bundler.progress import SILENT, Progress
from bundler.site.medium import CHUNK, Medium
from bundler.site.opening import Opened, open_bundle
from bundler.site.report import Damage, Report, refusal
from bundler.site.verify import ends, frame
from bundler.site.volume_check import guilty
from bundler.trust.keys import PublicKey
from bundler.trust.signature import SignatureRefused

_FICLONERANGE = 0x4020940D
_CANNOT_SHARE = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ENOTTY}


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Where the bundle lies now (None when it was damaged and nothing was left), and what the check found."""

    path: Path | None
    report: Report
    shared: bool


def unpack(
    medium: Medium, into: Path, progress: Progress = SILENT, *, keys: Sequence[PublicKey] | None = None
) -> Unpacked:
    """Unpack to ``into/NAME-VERSION``. Nothing is left behind when anything is damaged.

    With ``keys``, one of them must have signed the bundle: else nothing is written at all, and the report says so.

    Raises: MachineError (no space, the name is taken, no permission); IntegrityError when it is no bundle.
    """
    try:
        opened = open_bundle(medium, keys)
    except SignatureRefused as refused:
        return Unpacked(None, refusal(refused), shared=False)
    final = into / opened.manifest.top
    with guarded(into, "write"):
        into.mkdir(parents=True, exist_ok=True)
        if final.exists() or final.is_symlink():
            raise MachineError(f"{final}: is there already", hint="Remove it, or unpack into another folder.")
    with _workshop(into, opened.manifest.top) as folder:
        shared = _can_share(medium, folder)
        if not shared:
            require_space(into, sum(slot.member.size for slot in opened.arrangement.slots))
        report = _write_all(medium, opened, folder, shared, progress)
        if report.ok:
            with guarded(final, "write"):
                for parent, _, _ in os.walk(folder):
                    Path(parent).chmod(0o755)
                folder.rename(final)
            sync_folder(into)
    return Unpacked(final if report.ok else None, report, shared)


@contextmanager
def _workshop(into: Path, top: str) -> Iterator[Path]:
    """A new folder beside the final place, gone afterwards unless it was renamed."""
    with guarded(into, "write"):
        folder = Path(tempfile.mkdtemp(prefix=f".{top}.", suffix=".partial", dir=into))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_all(medium: Medium, opened: Opened, folder: Path, shared: bool, progress: Progress) -> Report:
    slots = sorted(opened.arrangement.slots, key=lambda slot: -slot.member.size)
    progress.begin(f"unpacking {medium.stem}", sum(slot.member.size for slot in slots))
    writer = _Writer(medium, folder, opened.manifest.created, shared, progress)
    try:
        rows = each(slots, writer.write, chunk=CHUNK)
    finally:
        progress.end()
    good = [slot.member.size for slot, bad in rows if not bad]
    report = Report(
        len(good), sum(good), opened.seal.state, (), opened.manifest, opened.manifest_digest, opened.seal.by
    )
    parts = [*frame(medium, opened), *(damage for _, bad in rows for damage in bad)]
    return report.with_damage(ends(medium, opened.arrangement.size), parts)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes members below ``folder``; ``mtime`` in seconds since 1970."""

    medium: Medium
    folder: Path
    mtime: int
    shared: bool
    progress: Progress

    def write(self, slot: Slot, buffer: memoryview) -> tuple[Slot, list[Damage]]:
        """Write one member, and say how it is damaged if it is."""
        path = self.folder / slot.member.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                bad = self._fill(slot, descriptor, buffer)
                os.fchmod(descriptor, slot.member.mode)
                os.utime(descriptor, (self.mtime, self.mtime))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise disk_error(error, path, "write") from error
        return slot, bad

    def _fill(self, slot: Slot, descriptor: int, buffer: memoryview) -> list[Damage]:
        digest = hashlib.sha256()
        shared = self.shared and self._share(slot, descriptor)
        at = 0
        while at < slot.member.size:
            view = buffer[: min(len(buffer), slot.member.size - at)]
            if shared:
                view = view[: os.preadv(descriptor, [view], at)]
                if not view:
                    return guilty(self.medium, slot, "the shared blocks end before their time")
            else:
                fault = self.medium.read(slot.data + at, view)
                if fault:
                    return [Damage(slot.member.path, fault.volume if self.medium.cut else None, fault.reason)]
                _write_whole(descriptor, view, at)
            digest.update(view)
            at += len(view)
            self.progress.advance(len(view))
        if digest.hexdigest() == slot.member.digest.hex:
            return []
        return guilty(self.medium, slot, f"expected {slot.member.digest}, found sha256:{digest.hexdigest()}")

    def _share(self, slot: Slot, descriptor: int) -> bool:
        """Let the new file share the bundle's blocks; False where that cannot be, and nothing is written then."""
        place = self.medium.descriptor(slot.data, slot.member.size)
        if place is None:
            return False
        source, at = place
        done = 0
        while done < slot.member.size:
            try:
                count = os.copy_file_range(source, descriptor, slot.member.size - done, at + done, done)
            except OSError as error:
                if error.errno in _CANNOT_SHARE:
                    os.ftruncate(descriptor, 0)
                    return False
                raise
            if count == 0:
                os.ftruncate(descriptor, 0)
                return False
            done += count
        return True


def _write_whole(descriptor: int, view: memoryview, at: int) -> None:
    while view:
        count = os.pwrite(descriptor, view, at)
        view, at = view[count:], at + count


def _can_share(medium: Medium, folder: Path) -> bool:
    """Whether blocks of the bundle can be shared with a file in ``folder``: tried with its first block."""
    place = medium.descriptor(0, ALIGNMENT)
    if place is None:
        return False
    probe = folder / ".probe"
    with guarded(probe, "write"), probe.open("wb") as file:
        try:
            fcntl.ioctl(file.fileno(), _FICLONERANGE, struct.pack("qQQQ", place[0], 0, ALIGNMENT, 0))
            return True
        except OSError:
            return False
        finally:
            probe.unlink()
