"""The model's files in LM Studio's models folder: put there without a second copy, and taken away again.

Rules: a file that was there before and is not ours is never written over and never removed. What is ours stands in
the record before it is made, so that an interrupted run is finished by the next. A hard link is made where the file
system can (LM Studio has trouble with symbolic links), else a copy whose digest is compared. Root writes here into a
folder of another user's: below the models folder no symbolic link is followed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.digest import Digest
from bundler.disk import disk_error, guarded, sync_folder
from bundler.errors import IntegrityError, MachineError
from bundler.progress import Progress
from bundler.serving.lmstudio import ModelFile
from bundler.site.lmstudio.account import Account
from bundler.site.lmstudio.copying import PART, copy_file, digest_of

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Shelf:
    """The place of one model: ``folder`` (publisher/repository) below LM Studio's ``models``."""

    models: Path
    folder: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.models / self.folder


def missing_files(shelf: Shelf, files: Collection[ModelFile], release: Path) -> tuple[ModelFile, ...]:
    """Those that are not there yet. Raises: MachineError for one that is there with other bytes."""
    return tuple(file for file in files if not _is_there(shelf, file, release / file.source))


def place_files(shelf: Shelf, files: Collection[ModelFile], release: Path, who: Account, progress: Progress) -> None:
    """Put ``files`` there for the user ``who``.

    Raises: MachineError; IntegrityError for a source that is not as promised.
    """
    with _made(shelf, who) as folder:
        for file in files:
            source = release / file.source
            _readable(who, source)
            if not _linked(source, file, shelf, folder):
                copy_file(source, shelf.path, folder, file, who, progress)
    if files:
        sync_folder(shelf.path)


def take_files(shelf: Shelf, ours: dict[str, Digest], release: Path, files: Collection[ModelFile]) -> None:
    """Remove what of ``ours`` is still as it was put there, and folders left empty. Raises: MachineError."""
    sources = {file.name: release / file.source for file in files}
    try:
        with _opened(shelf) as folder:
            for name, digest in ours.items():
                _take(shelf, folder, name, digest, sources.get(name))
    except FileNotFoundError:
        return
    for path in (shelf.path, shelf.path.parent):
        try:
            path.rmdir()
        except OSError:
            return


def _take(shelf: Shelf, folder: int, name: str, digest: Digest, source: Path | None) -> None:
    path = shelf.path / name
    with guarded(path, "remove"):
        _unlink(f".{name}{PART}", folder)
        if _same(source, path) or digest_of(path) == digest:
            _unlink(name, folder)


def _unlink(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _is_there(shelf: Shelf, file: ModelFile, source: Path) -> bool:
    """Our own link, or the same bytes whoever put them there."""
    path = shelf.path / file.name
    if _same(source, path):
        return True
    with guarded(path, "read"):
        found = digest_of(path)
    if found is None:
        return False
    if found != file.digest:
        hint = "It is left as it is. Move it away, and run the same command again."
        raise MachineError(f"{path}: is there with other bytes, and llm-bundle did not put it there", hint=hint)
    return True


def _same(source: Path | None, path: Path) -> bool:
    try:
        return source is not None and os.path.samestat(source.lstat(), path.lstat())
    except OSError:
        return False


def _readable(who: Account, source: Path) -> None:
    """A link has the rights of the release's file: LM Studio's user must be able to read it."""
    with guarded(source, "look at"):
        status = source.lstat()
    if who.switch and not status.st_mode & 0o004:
        raise MachineError(f"{source}: {who.name} may not read it", hint=f"chmod o+r {source}")


def _linked(source: Path, file: ModelFile, shelf: Shelf, folder: int) -> bool:
    """Whether a hard link could be made; what else goes wrong shows when the file is copied."""
    if source.is_symlink():
        raise IntegrityError(f"{source}: is a symbolic link, and no file of the bundle")
    try:
        os.link(source, file.name, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError as error:
        raise disk_error(error, shelf.path / file.name, "make") from error
    except OSError:
        return False
    return True


@contextmanager
def _opened(shelf: Shelf) -> Iterator[int]:
    """The folder, below the models folder without following a link. Raises: FileNotFoundError; MachineError."""
    publisher, _, repository = shelf.folder.partition("/")
    held = []
    try:
        held.append(os.open(shelf.models, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for name in (publisher, repository):
            held.append(os.open(name, _FOLDER, dir_fd=held[-1]))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise disk_error(error, shelf.path, "open") from error
    finally:
        for one in held[:-1] if len(held) == 3 else held:
            os.close(one)
    try:
        yield held[-1]
    finally:
        os.close(held[-1])


@contextmanager
def _made(shelf: Shelf, who: Account) -> Iterator[int]:
    """The folder as ``_opened``, made where it is missing, and then LM Studio's user's."""
    with guarded(shelf.path, "make"):
        if not shelf.models.is_dir():
            shelf.models.mkdir()
            os.chown(shelf.models, who.uid, who.gid)
        above = os.open(shelf.models, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in shelf.folder.split("/"):
                inner = _make(name, above, who)
                os.close(above)
                above = inner
        except OSError:
            os.close(above)
            raise
    try:
        yield above
    finally:
        os.close(above)


def _make(name: str, above: int, who: Account) -> int:
    try:
        os.mkdir(name, 0o755, dir_fd=above)
        made = True
    except FileExistsError:
        made = False
    inner = os.open(name, _FOLDER, dir_fd=above)
    if made:
        os.fchown(inner, who.uid, who.gid)
    return inner
