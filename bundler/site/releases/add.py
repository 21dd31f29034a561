"""A bundle becomes a release: read once, written at most once, and not at all where a release has the data already.

A release's files are read-only (0444, 0555) and may have names in several releases: whoever wants to change one
copies it first. Use this inside ``holding``; state.json is the caller's to write.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bundler.disk import guarded
from bundler.errors import IntegrityError
from bundler.progress import SILENT, Progress
from bundler.site.folder import verify_folder
from bundler.site.medium import Medium
from bundler.site.opening import Opened, open_bundle
from bundler.site.place import Place
from bundler.site.releases.names import release_id
from bundler.site.releases.present import is_complete, known_data
from bundler.site.releases.remove import remove_leftovers, set_aside
from bundler.site.report import Report, refusal
from bundler.site.state import Release
from bundler.site.store import StateStore
from bundler.site.writing import Writer, publish, workshop
from bundler.trust.keys import PublicKey
from bundler.trust.signature import SignatureRefused


@dataclass(frozen=True, slots=True)
class Added:
    """``release`` is None when the bundle is damaged or refused, and ``report`` says why; nothing is left then.

    ``new`` is False when the release was there already, whole. ``linked`` bytes lie in files that another release
    has too; ``shared`` tells whether the others share blocks with the bundle.
    """

    release: Release | None
    report: Report
    new: bool = False
    linked: int = 0
    shared: bool = False


def add_release(
    place: Place, medium: Medium, progress: Progress = SILENT, *, keys: Sequence[PublicKey] | None = None
) -> Added:
    """Put the bundle on ``medium`` below ``releases``; with ``keys``, one of them must have signed it.

    A folder of its name that is no longer whole is replaced by a whole one.

    Raises: IntegrityError when it is no bundle; MachineError (no space, no permission).
    """
    try:
        opened = open_bundle(medium, keys)
    except SignatureRefused as refused:
        return Added(None, refusal(refused))
    name = release_id(opened.manifest, opened.manifest_digest)
    with guarded(place.releases, "make"):
        place.releases.mkdir(exist_ok=True)
        place.releases.chmod(0o755)
    remove_leftovers(place)
    found = _whole(place, name, opened, progress)
    if found is not None:
        return found
    with workshop(place.releases, name) as folder:
        known = known_data(place)
        done = Writer(medium, opened, folder, progress, known, read_only=True).write()
        if not done.report.ok:
            return Added(None, done.report)
        set_aside(place, name)
        publish(folder, place.release(name))
    remove_leftovers(place)
    return Added(release_of(opened), done.report, new=True, linked=done.linked, shared=done.shared)


def _whole(place: Place, name: str, opened: Opened, progress: Progress) -> Added | None:
    """The release if it is there and whole: recorded and complete, or hashed where no run has recorded it."""
    folder = place.release(name)
    recorded = StateStore(place).read().release(name)
    if not is_complete(folder, opened.manifest):
        return None
    if recorded:
        release = replace(recorded, signed_by=_signer(opened) or recorded.signed_by)
        sizes = [slot.member.size for slot in opened.arrangement.slots]
        return Added(release, _report(Report(len(sizes), sum(sizes), "absent", ()), opened))
    try:
        report = verify_folder(folder, progress)
    except IntegrityError:
        return None
    if not report.ok or report.manifest_digest != opened.manifest_digest:
        return None
    return Added(release_of(opened), _report(report, opened))


def _report(report: Report, opened: Opened) -> Report:
    """``report`` with what the bundle on the medium says of itself."""
    return replace(
        report,
        signature=opened.seal.state,
        signed_by=opened.seal.by,
        manifest=opened.manifest,
        manifest_digest=opened.manifest_digest,
    )


def release_of(opened: Opened) -> Release:
    """What the bundle is as a release, installed now. Raises: IntegrityError for a name that no bundle has."""
    return Release(
        id=release_id(opened.manifest, opened.manifest_digest),
        name=opened.manifest.name,
        version=opened.manifest.version,
        manifest=str(opened.manifest_digest),
        created=opened.manifest.created,
        installed=int(time.time()),
        signed_by=_signer(opened),
    )


def _signer(opened: Opened) -> str | None:
    return str(opened.seal.by) if opened.seal.by else None
