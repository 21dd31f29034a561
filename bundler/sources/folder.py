"""A model in a folder on this machine.

Rules: hidden files and folders are left out (``.git``, ``.cache``, ``.gitattributes``). A link to a plain
file is taken as that file, for a snapshot in the Hugging Face cache is made of nothing else; one that leads
out of the folder is mentioned. Links to folders, dangling links, devices, pipes and sockets are refused,
and so are names that no bundle can hold.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from bundler.errors import IntegrityError, SourceError, SpecError
from bundler.progress import SILENT, Progress
from bundler.relpath import path_fault
from bundler.sources.hashing import hash_ranges
from bundler.sources.interface import LocalRange
from bundler.sources.listing import ListedFile, Listing
from bundler.sources.local import read_range, resolved, unreadable
from bundler.sources.selection import select
from bundler.spec.model import Engine, FolderModel

MAX_FILES = 20_000

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_REMOVE = "Remove it from the folder, or put the file itself in its place."


@dataclass(frozen=True, slots=True)
class Folder:
    """The plain files of a model's folder by their path in it, in path order, with where their bytes lie."""

    root: Path
    files: Mapping[str, LocalRange]

    @property
    def paths(self) -> Mapping[str, int]:
        """Path to size in bytes."""
        return {path: origin.size for path, origin in self.files.items()}

    def read(self, path: str, start: int, length: int) -> bytes:
        """Exactly ``length`` bytes of ``path`` from ``start`` on.

        Raises: IntegrityError when the file has fewer; SourceError or MachineError when it cannot be read.
        """
        whole = self.files.get(path)
        if whole is None:
            raise SourceError(f"{self.root}: no file {path!r}", hint="Copy the model again, whole.")
        if start + length > whole.size:
            raise IntegrityError(
                f"{whole.path}: expected at least {start + length} bytes, found {whole.size}",
                hint="The file was cut off or is damaged: copy it again.",
            )
        return read_range(LocalRange(whole.path, start, length), length, str(whole.path))


def look(model: FolderModel, base: Path, engine: Engine, progress: Progress = SILENT, *, where: str = "") -> Listing:
    """The files that ``model`` chooses in its folder, hashed; ``base`` is the folder of bundle.yml.

    Raises: SpecError for what no bundle can hold, or when nothing is chosen; SourceError when the folder is
    not there; MachineError when it cannot be read; IntegrityError when a file changes meanwhile.
    """
    where = where or f"model {model.id}"
    folder = open_folder(model, base, where=where)
    chosen = select(folder.paths, model.files, engine=engine, where=where, allow_pickle=model.allow_pickle)
    digests = hash_ranges((folder.files[path] for path in chosen.paths), f"reading {model.id}", progress)
    files = [ListedFile(path, folder.files[path].size, digests[folder.files[path]]) for path in sorted(chosen.paths)]
    return Listing(None, None, tuple(files), (*chosen.notes, *_outside(folder, chosen.paths)))


def open_folder(model: FolderModel, base: Path, *, where: str = "") -> Folder:
    """All plain files of the folder of ``model``, before any choice; nothing is hashed.

    Raises: as ``look`` does.
    """
    where = where or f"model {model.id}"
    root = resolved(base / model.folder)
    if not root.is_dir():
        raise SpecError(f"{where}: expected a folder, found a file: {root}", hint="Name the folder around it.")
    files: dict[str, LocalRange] = {}
    for path, entry in _walk(root, where):
        files[path] = _plain(entry, f"{where}: {path}")
        if len(files) > MAX_FILES:
            raise SpecError(f"{where}: more than {MAX_FILES} files in {root}", hint="Name the model's own folder.")
    if not files:
        raise SpecError(f"{where}: no files in {root}", hint="Name the folder that holds config.json or the weights.")
    return Folder(root, MappingProxyType(dict(sorted(files.items()))))


def _walk(root: Path, where: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything below ``root`` that is neither a folder nor hidden."""
    folders = [(root, "")]
    while folders:
        folder, prefix = folders.pop()
        for entry in _entries(folder):
            if entry.name.startswith("."):
                continue
            path = prefix + entry.name
            if fault := path_fault(path):
                hint = "Rename the file; a bundle must unpack and check the same way everywhere."
                raise SpecError(f"{where}: the file name {path[:200]!r} {fault}", hint=hint)
            if entry.is_dir(follow_symlinks=False):
                folders.append((Path(entry.path), f"{path}/"))
            else:
                yield path, entry


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(islice(found, MAX_FILES + 1))
    except OSError as error:
        raise unreadable(folder, error) from error


def _plain(entry: os.DirEntry[str], place: str) -> LocalRange:
    path = Path(entry.path)
    link = entry.is_symlink()
    try:
        found = path.stat()
    except OSError as error:
        if link and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            hint = "Download or copy the model again, or remove the link."
            raise SpecError(f"{place}: a link that leads nowhere", hint=hint) from error
        raise unreadable(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise SpecError(f"{place}: expected a plain file, found {'a link to ' if link else ''}{kind}", hint=_REMOVE)
    return LocalRange(resolved(path) if link else path, 0, found.st_size)


def _outside(folder: Folder, chosen: Iterable[str]) -> tuple[str, ...]:
    """A note on the links that lead out of the folder."""
    away = [path for path in sorted(chosen) if not folder.files[path].path.is_relative_to(folder.root)]
    if not away:
        return ()
    first = f"{away[0]} is {folder.files[away[0]].path}"
    return (f"{len(away)} of the files are links out of {folder.root}, taken as what they lead to: {first}",)
