"""Verifying an unpacked bundle: every file that SHA256SUMS promises, and none besides. Links are not followed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from bundler.crew import each
from bundler.digest import Digest
from bundler.disk import disk_error, guarded, is_there
from bundler.errors import IntegrityError
from bundler.layout.manifest import MAX_BYTES, Manifest, decode
from bundler.layout.member import MANIFEST, SIGNATURE, SIGNATURE_BYTES, SUMS
from bundler.progress import SILENT, Progress
from bundler.site.medium import CHUNK
from bundler.site.report import Damage, Report, refusal
from bundler.trust import sums
from bundler.trust.choice import seal
from bundler.trust.keys import PublicKey
from bundler.trust.signature import SignatureRefused

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def verify_folder(root: Path, progress: Progress = SILENT, *, keys: Sequence[PublicKey] | None = None) -> Report:
    """Verify the folder ``root``, as ``verify`` does. Raises: IntegrityError when it is no bundle; MachineError."""
    listing = small_file(root, SUMS)
    try:
        found = seal(listing, read_signature(root), keys)
    except SignatureRefused as refused:
        return refusal(refused)
    listed = dict(sums.decode(listing))
    manifest, damages = _manifest(root, listed)
    sizes = {member.path: member.size for member in manifest.members} if manifest else {}
    progress.begin(f"verifying {root}", sum(sizes.values()))
    try:
        rows = each(
            listed.items(), lambda row, buffer: _check(root, row, sizes.get(row[0]), buffer, progress), chunk=CHUNK
        )
    finally:
        progress.end()
    damages += [Damage(path, None, reason) for path, _, reason in rows if reason]
    damages += [Damage(path, None, "is additional: SHA256SUMS does not list it") for path in _additional(root, listed)]
    good = [size for _, size, reason in rows if reason is None]
    report = Report(
        members=len(good) + 1,
        bytes=sum(good) + len(listing),
        signature=found.state,
        signed_by=found.by,
        damaged=(),
        manifest=manifest,
        manifest_digest=listed.get(MANIFEST),
    )
    return report.with_damage([], damages)


def checked_sums(root: Path) -> tuple[bytes, Digest]:
    """The bytes of SHA256SUMS and the manifest's digest. Raises: IntegrityError unless the two agree; MachineError."""
    listing = small_file(root, SUMS)
    listed = dict(sums.decode(listing, where=str(root / SUMS)))
    manifest, damages = _manifest(root, listed)
    if manifest is None or damages:
        reason = damages[0].reason if damages else f"does not match its line in {SUMS}"
        raise IntegrityError(f"{root / MANIFEST}: {reason}", hint="`llm-bundle verify` says what is damaged.")
    return listing, listed[MANIFEST]


def _manifest(root: Path, listed: dict[str, Digest]) -> tuple[Manifest | None, list[Damage]]:
    """The manifest if it can be believed, and what speaks against it."""
    try:
        data = small_file(root, MANIFEST)
        if Digest.of(data) != listed.get(MANIFEST):
            return None, []  # its own line in the sums will say so
        manifest = decode(data)
    except IntegrityError as error:
        return None, [Damage(MANIFEST, None, error.message)]
    lines = {member.path: member.digest for member in manifest.members}
    if lines != {path: digest for path, digest in listed.items() if path != MANIFEST}:
        return manifest, [Damage(SUMS, None, f"does not list what {MANIFEST} lists")]
    return manifest, []


def read_signature(root: Path) -> bytes | None:
    """The signature in the folder, None where there is none. Raises: IntegrityError; MachineError."""
    return small_file(root, SIGNATURE, SIGNATURE_BYTES) if is_there(root / SIGNATURE) else None


def small_file(root: Path, name: str, limit: int = MAX_BYTES) -> bytes:
    """A whole file of at most ``limit`` bytes at the top of the folder. Raises: IntegrityError; MachineError."""
    path = root / name
    try:
        with os.fdopen(os.open(path, _OPEN), "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise IntegrityError(f"{path}: is not there", hint="Is this the folder that holds SHA256SUMS?") from error
    except OSError as error:
        raise disk_error(error, path, "read") from error
    if len(data) > limit:
        raise IntegrityError(f"{path}: larger than {limit:,} bytes")
    return data


def _check(
    root: Path, row: tuple[str, Digest], size: int | None, buffer: memoryview, progress: Progress
) -> tuple[str, int, str | None]:
    """(path, bytes hashed, why it is not as promised)."""
    path, expected = row
    done = 0
    digest = hashlib.sha256()
    try:
        descriptor = os.open(root / path, _OPEN)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return path, 0, "is not a regular file"
            while count := os.readv(descriptor, [buffer]):
                digest.update(buffer[:count])
                done += count
                progress.advance(count)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return path, 0, "is missing"
    except OSError as error:
        return (
            path,
            done,
            "is a link" if (root / path).is_symlink() else f"cannot be read: {os.strerror(error.errno or 0)}",
        )
    if digest.hexdigest() == expected.hex:
        return path, done, None
    length = f" ({done:,} bytes, expected {size:,})" if size is not None and size != done else ""
    return path, done, f"expected {expected}, found sha256:{digest.hexdigest()}{length}"


def _additional(root: Path, listed: dict[str, Digest]) -> Iterator[str]:
    """Whatever lies in the folder and is not promised."""

    def broken(error: OSError) -> None:
        raise error

    known = {*listed, SUMS, SIGNATURE}
    with guarded(root, "read"):
        for parent, folders, files in os.walk(root, onerror=broken):
            links = [name for name in folders if (Path(parent) / name).is_symlink()]
            for name in [*files, *links]:
                path = (Path(parent) / name).relative_to(root).as_posix()
                if path not in known:
                    yield path
