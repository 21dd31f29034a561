"""Verifying an unpacked bundle: every file that SHA256SUMS promises, and none besides. Links are not followed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bundler.crew import each
from bundler.digest import Digest
from bundler.disk import disk_error, guarded
from bundler.errors import IntegrityError
from bundler.layout.manifest import MAX_BYTES, Manifest, decode
from bundler.layout.member import MANIFEST, SIGNATURE, SUMS
from bundler.progress import SILENT, Progress
from bundler.site.medium import CHUNK
from bundler.site.report import Damage, Report
from bundler.trust import sums

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def verify_folder(root: Path, progress: Progress = SILENT) -> Report:
    """Verify the folder ``root``. Raises: IntegrityError when it is no unpacked bundle; MachineError."""
    listing = small_file(root, SUMS)
    listed = dict(sums.decode(listing))
    manifest, damages = _manifest(root, listed, listing)
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
        signature="unchecked" if (root / SIGNATURE).is_file() else "absent",
        damaged=(),
        manifest=manifest,
        manifest_digest=listed.get(MANIFEST),
    )
    return report.with_damage([], damages)


def _manifest(root: Path, listed: dict[str, Digest], listing: bytes) -> tuple[Manifest | None, list[Damage]]:
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


def small_file(root: Path, name: str) -> bytes:
    """A whole file of at most 64 MiB at the top of the folder. Raises: IntegrityError; MachineError."""
    path = root / name
    try:
        with os.fdopen(os.open(path, _OPEN), "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise IntegrityError(f"{path}: is not there", hint="Is this the folder that holds SHA256SUMS?") from error
    except OSError as error:
        raise disk_error(error, path, "read") from error
    if len(data) > MAX_BYTES:
        raise IntegrityError(f"{path}: larger than {MAX_BYTES:,} bytes")
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
