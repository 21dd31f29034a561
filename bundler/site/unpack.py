"""Unpacking a bundle: verified while written, into a folder of its own that gets its name only when all is good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bundler.disk import guarded, is_there
from bundler.errors import MachineError
from bundler.progress import SILENT, Progress
from bundler.site.medium import Medium
from bundler.site.opening import open_bundle
from bundler.site.report import Report, refusal
from bundler.site.writing import Writer, publish, workshop
from bundler.trust.keys import PublicKey
from bundler.trust.signature import SignatureRefused


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
    if is_there(final):
        raise MachineError(f"{final}: is there already", hint="Remove it, or unpack into another folder.")
    with workshop(into, opened.manifest.top) as folder:
        done = Writer(medium, opened, folder, progress, known={}).write()
        if done.report.ok:
            publish(folder, final)
    return Unpacked(final if done.report.ok else None, done.report, done.shared)
