"""Writing the members of a bundle into a folder made for it, each verified before the folder gets its name.

Nothing is created but regular files and folders at paths that the manifest's rules allow. What is hashed is what was
written: where blocks are shared with the bundle they are read back, and a file that is there already is read first.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.crew import each
from bundler.digest import Digest
from bundler.disk import disk_error, guarded, require_space, sync_folder
from bundler.layout.arrangement import Slot
from bundler.progress import Progress
from bundler.site.linking import Outcome, link
from bundler.site.medium import CHUNK, Medium
from bundler.site.opening import Opened
from bundler.site.report import Damage, Report
from bundler.site.sharing import can_share, share
from bundler.site.verify import ends, frame
from bundler.site.volume_check import guilty

PARTIAL: Final = ".partial"


@dataclass(frozen=True, slots=True)
class Written:
    """What the check found, whether blocks are shared with the bundle, and the bytes that lie in files of before."""

    report: Report
    shared: bool
    linked: int = 0


@contextmanager
def workshop(into: Path, name: str) -> Iterator[Path]:
    """A new folder ``.NAME.xxxxxxxx.partial`` in ``into``, gone afterwards unless it was renamed."""
    with guarded(into, "write"):
        folder = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=PARTIAL, dir=into))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, final: Path) -> None:
    """Give ``folder`` its name, so that all of it outlives a power cut. Raises: MachineError."""
    with guarded(final, "write"):
        for parent, _, _ in os.walk(folder):
            Path(parent).chmod(0o755)
            sync_folder(Path(parent))  # a second name of an old file is in no file's own fsync
        folder.rename(final)
    sync_folder(final.parent)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes a bundle below ``folder``; with ``read_only`` nobody may write its files.

    ``known`` says where files lie that hold some of the data already: they are linked to, if they still do.
    """

    medium: Medium
    opened: Opened
    folder: Path
    progress: Progress
    known: Mapping[Digest, Path]
    read_only: bool = False

    def write(self) -> Written:
        """Write everything. Raises: MachineError (no space, no permission)."""
        slots = sorted(self.opened.arrangement.slots, key=lambda slot: -slot.member.size)
        shared = can_share(self.medium, self.folder)
        self._require_space([slot for slot in slots if slot.member.digest not in self.known], shared)
        self.progress.begin(f"unpacking {self.medium.stem}", sum(slot.member.size for slot in slots))
        try:
            linked = self._link(slots)
            rest = [slot for slot in slots if slot not in linked]
            self._require_space(rest, shared)
            rows = each(rest, lambda slot, buffer: self._write(slot, shared, buffer), chunk=CHUNK)
        finally:
            self.progress.end()
        return Written(self._report(linked, rows), shared, sum(slot.member.size for slot in linked))

    def _require_space(self, slots: Sequence[Slot], shared: bool) -> None:
        if not shared:
            require_space(self.folder.parent, sum(slot.member.size for slot in slots))

    def _link(self, slots: Sequence[Slot]) -> set[Slot]:
        wanted = [slot for slot in slots if slot.member.digest in self.known]
        rows = each(wanted, self._link_one, chunk=CHUNK)
        changed = sorted({str(self.known[slot.member.digest]) for slot, outcome in rows if outcome == "changed"})
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            self.progress.say(f"{changed[0]}{more}: no longer what was installed; taken from the bundle instead")
        return {slot for slot, outcome in rows if outcome == "linked"}

    def _link_one(self, slot: Slot, buffer: memoryview) -> tuple[Slot, Outcome]:
        target = self._target(slot)
        return slot, link(self.known[slot.member.digest], target, slot.member, self._mode(slot), buffer, self.progress)

    def _write(self, slot: Slot, shared: bool, buffer: memoryview) -> tuple[Slot, list[Damage]]:
        """Write one member, and say how it is damaged if it is."""
        path = self._target(slot)
        mtime = self.opened.manifest.created
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                bad = self._fill(slot, descriptor, buffer, shared and share(self.medium, slot, descriptor))
                os.fchmod(descriptor, self._mode(slot))
                os.utime(descriptor, (mtime, mtime))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise disk_error(error, path, "write") from error
        return slot, bad

    def _target(self, slot: Slot) -> Path:
        path = self.folder / slot.member.path
        with guarded(path.parent, "write"):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _mode(self, slot: Slot) -> int:
        return slot.member.mode & 0o555 if self.read_only else slot.member.mode

    def _fill(self, slot: Slot, descriptor: int, buffer: memoryview, shared: bool) -> list[Damage]:
        digest = hashlib.sha256()
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

    def _report(self, linked: set[Slot], rows: Sequence[tuple[Slot, list[Damage]]]) -> Report:
        good = [slot.member.size for slot in linked] + [slot.member.size for slot, bad in rows if not bad]
        seal = self.opened.seal
        manifest, digest = self.opened.manifest, self.opened.manifest_digest
        report = Report(len(good), sum(good), seal.state, (), manifest, digest, seal.by)
        parts = [*frame(self.medium, self.opened), *(damage for _, bad in rows for damage in bad)]
        return report.with_damage(ends(self.medium, self.opened.arrangement.size), parts)


def _write_whole(descriptor: int, view: memoryview, at: int) -> None:
    while view:
        count = os.pwrite(descriptor, view, at)
        view, at = view[count:], at + count
