"""Signing what is finished: a bundle in place, in one file or in volumes, or the folder that it was unpacked to.

The layout keeps room for a signature in every bundle, so a few kilobytes before the manifest are written and nothing
moves. What is signed must agree with itself: sums, manifest and the stretch that will be overwritten, and each volume
whose sums file is written anew must have been what its old one says, so that no damage is ever blessed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.digest import Digest
from bundler.disk import disk_error, is_folder, is_there, write_whole
from bundler.errors import IntegrityError, MachineError
from bundler.layout import tar
from bundler.layout.arrangement import Arrangement, with_signature
from bundler.layout.member import MANIFEST, SIGNATURE, SUMS
from bundler.progress import SILENT, Progress
from bundler.site.folder import checked_sums
from bundler.site.medium import Medium, find
from bundler.site.opening import Head, Opened, open_bundle, read_head, read_sums, settle
from bundler.site.unfinished import MOST_REGION, REMOVE, Change, carry_out, finish, note_of, read_note
from bundler.site.verify import ends
from bundler.site.volume_change import new_sums
from bundler.trust.keys import KeyName
from bundler.trust.private_key import PrivateKey
from bundler.trust.signature import SignatureRefused

_DAMAGED: Final = "Nothing was written. `llm-bundle verify` says what is damaged."


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, with which key, and the files that were written."""

    place: Path
    manifest: Digest
    by: KeyName
    written: tuple[Path, ...]


def sign(paths: Sequence[Path], key: PrivateKey, progress: Progress = SILENT, *, force: bool = False) -> Signed:
    """Sign the tar, the volumes or the unpacked folder that ``paths`` mean; ``force`` replaces a signature.

    Raises: IntegrityError when what is there does not agree with itself; MachineError when it is signed already or
    cannot be written; UsageError.
    """
    if len(paths) == 1 and is_folder(paths[0]):
        return _sign_folder(paths[0], key, force=force)
    with find(paths) as medium:
        noted = _finish_noted(medium)
    with find(paths) as medium:
        if noted:
            progress.say("finished the signing that was interrupted")
            done = _signed_by(medium, key, noted)
            if done:
                return done
        return _sign_medium(medium, key, progress, force=force)


def _finish_noted(medium: Medium) -> Change | None:
    """Do what an earlier run noted, if one did. Raises: IntegrityError when it is another bundle's; MachineError."""
    change = read_note(medium)
    if change is None:
        return None
    _, first, listing = read_sums(medium)
    files = medium.names(change.offset, len(change.data))
    fits = change.offset == first.data + first.size and len(change.data) <= MOST_REGION and change.files == files
    if not fits or Digest.of(listing) != change.sums or not change.volumes.keys() <= set(files):
        raise IntegrityError(f"{note_of(medium)}: is of another bundle, or damaged", hint=REMOVE)
    absent = [name for name in medium.missing(medium.size) if name in files]
    if absent:
        raise IntegrityError(
            f"{absent[0]}: the volume is missing", hint="Put it back beside the others, and sign again."
        )
    finish(medium, change)
    return change


def _signed_by(medium: Medium, key: PrivateKey, change: Change) -> Signed | None:
    """What an earlier run did with this very key."""
    try:
        opened = open_bundle(medium, [key.public])
    except SignatureRefused:
        return None
    return _signed(medium, opened, key, change)


def _sign_folder(root: Path, key: PrivateKey, *, force: bool) -> Signed:
    listing, manifest = checked_sums(root)
    _require_unsigned(root / SIGNATURE, signed=is_there(root / SIGNATURE), force=force)
    write_whole(root / SIGNATURE, key.sign(listing))
    return Signed(root, manifest, key.public.name, (root / SIGNATURE,))


def _sign_medium(medium: Medium, key: PrivateKey, progress: Progress, *, force: bool) -> Signed:
    head = read_head(medium)
    opened = settle(medium, head)
    _require_unsigned(Path(medium.place), signed=head.signature is not None, force=force)
    bad = next(iter(ends(medium, opened.arrangement.size)), None)
    if bad:
        raise IntegrityError(f"{bad.volume or bad.path}: {bad.reason}", hint=_DAMAGED)
    change = _change(medium, head, opened, key.sign(head.sums), progress)
    carry_out(medium, change)
    read_head(medium, [key.public])  # what was written is read back and checked as the site will
    return _signed(medium, opened, key, change)


def _signed(medium: Medium, opened: Opened, key: PrivateKey, change: Change) -> Signed:
    names = [*change.files, *(f"{name}.sha256" for name in change.volumes)]
    return Signed(Path(medium.place), opened.manifest_digest, key.public.name, tuple(medium.folder / n for n in names))


def _require_unsigned(path: Path, *, signed: bool, force: bool) -> None:
    if signed and not force:
        raise MachineError(
            f"{path}: is signed already" if path.name != SIGNATURE else f"{path}: is there already",
            hint="`llm-bundle verify --key` says by whom; --force replaces the signature.",
        )


def _change(medium: Medium, head: Head, opened: Opened, signature: bytes, progress: Progress) -> Change:
    """What has to be written. Raises: IntegrityError when what is there is not as it must be; MachineError."""
    slots = {slot.member.path: slot for slot in opened.arrangement.slots}
    start, end = slots[SUMS].end, slots[MANIFEST].data
    old = bytearray(end - start)
    fault = medium.read(start, memoryview(old))
    if fault or old != _stretch(opened.arrangement, head.signature):
        raise IntegrityError(f"{medium.place}: is damaged between {SUMS} and {MANIFEST}", hint=_DAMAGED)
    new = _stretch(with_signature(opened.arrangement, signature), signature)
    if len(new) != len(old):
        raise IntegrityError(f"{medium.place}: has no room for a signature", hint="Build it anew with --key.")
    names = medium.names(start, len(new))
    _require_writable(medium, names)
    volumes = new_sums(medium, names, start, new, progress) if medium.cut else {}
    return Change(Digest.of(head.sums), start, new, names, volumes)


def _stretch(arrangement: Arrangement, signature: bytes | None) -> bytes:
    """All bytes from the end of SHA256SUMS to the manifest's data."""
    found = b""
    for slot in arrangement.slots:
        if slot.member.path != SUMS:
            found += arrangement.header(slot)
        if slot.member.path == MANIFEST:
            return found
        found += (signature or b"") if slot.member.path == SIGNATURE else b""
        found += bytes(tar.padding(slot.member.size))
    return found


def _require_writable(medium: Medium, names: Sequence[str]) -> None:
    """Raises: MachineError before anything is hashed or written."""
    for path in map(medium.path, names):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CLOEXEC))
        except OSError as error:
            found = disk_error(error, path, "write")
            if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
                found.hint = "Sign a copy of it on a disk where you may write; or unpack it, and sign the folder."
            raise found from error
