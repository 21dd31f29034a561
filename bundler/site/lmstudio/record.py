"""What a release put into LM Studio: a small file in the release's ``work`` folder, so that it can be taken back.

Rules: it is written before what it names is made; two releases with the same model name the same files, and each has
its own record, so that the last one to go takes the files along.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bundler.digest import Digest
from bundler.disk import guarded, is_there, read_bounded, sync_folder, write_whole
from bundler.errors import MachineError
from bundler.jsonrow import Row, parse
from bundler.relpath import path_fault
from bundler.site.place import Place

FORMAT: Final = "llm-bundle-lmstudio-files/1"
NAME: Final = "lmstudio.json"
_LARGEST: Final = 4 << 20
_HINT: Final = "Move it away; then look yourself for what is left in LM Studio's models folder."


@dataclass(frozen=True, slots=True)
class Record:
    """Files that are ours (name → digest) in ``folder`` below ``models``.

    ``active``: this release was started and not stopped since; ``server``: it was we who started the server.
    """

    models: Path
    folder: str
    files: dict[str, Digest] = field(default_factory=dict)
    active: bool = False
    server: bool = False

    def has(self, models: Path, folder: str) -> bool:
        """Whether it is about that folder."""
        return (self.models, self.folder) == (models, folder)


def record_path(place: Place, release: str) -> Path:
    """Where the record of a release lies."""
    return place.work(release) / NAME


def read_record(path: Path) -> Record | None:
    """The record, None where there is none. Raises: MachineError for anything that is not one."""
    if not is_there(path):
        return None
    row = parse(read_bounded(path, _LARGEST), str(path), MachineError, hint=_HINT)
    if row.text("format") != FORMAT:
        raise row.wrong("format", f'"{FORMAT}"')
    folder, models = row.text("folder"), row.text("models")
    if path_fault(folder) or folder.count("/") != 1:
        raise row.wrong("folder", "publisher/repository")
    if not models.startswith("/"):
        raise row.wrong("models", "an absolute path")
    files = row.row("files")
    ours = {name: _digest(files, name) for name in files.value}
    return Record(Path(models), folder, ours, row.value.get("active") is True, row.value.get("server") is True)


def write_record(path: Path, record: Record) -> None:
    """Write it whole, and make it outlive a power cut. Raises: MachineError."""
    document = {
        "format": FORMAT,
        "models": str(record.models),
        "folder": record.folder,
        "files": {name: str(digest) for name, digest in sorted(record.files.items())},
        "active": record.active,
        "server": record.server,
    }
    with guarded(path.parent, "make"):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(document, indent=2) + "\n").encode())
    sync_folder(path.parent)


def other_records(place: Place, release: str) -> Iterator[Record]:
    """Those of all other releases. Raises: MachineError for one that cannot be read."""
    own = record_path(place, release)
    with guarded(place.root, "look at"):
        found = sorted(own.parent.parent.glob(f"*/{NAME}"))
    for path in found:
        record = read_record(path) if path != own else None
        if record is not None:
            yield record


def _digest(files: Row, name: str) -> Digest:
    if "/" in name or path_fault(name):
        raise files.wrong(name, "the name of a file")
    return files.digest(name)
