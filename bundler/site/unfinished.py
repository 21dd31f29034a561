"""Writing into a finished bundle so that a stop at any moment does no harm: what will be written is noted beforehand.

The note, ``NAME.tar.signing`` beside the bundle, holds the new bytes of one stretch and the new sums files of the
volumes that it lies in. It is whole or it is not there. Doing what it says twice is as good as once, so after a stop
the next ``sign`` does that first; until then nobody reads the bundle.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.digest import Digest
from bundler.disk import guarded, is_there, read_bounded, sync_folder, write_whole
from bundler.errors import IntegrityError
from bundler.jsonrow import Row
from bundler.site.medium import Medium

_FORMAT: Final = "llm-bundle signing 1"
_MOST_BYTES: Final = 1 << 20
MOST_REGION: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Change:
    """``data`` goes to ``offset`` of the bundle with these ``sums``; ``volumes``: file name → its digest afterwards."""

    sums: Digest
    offset: int
    data: bytes
    files: tuple[str, ...]
    volumes: Mapping[str, Digest]

    def encode(self) -> bytes:
        """The note."""
        document = {
            "format": _FORMAT,
            "sums": str(self.sums),
            "offset": self.offset,
            "data": base64.b64encode(self.data).decode(),
            "files": [{"name": name} for name in self.files],
            "volumes": [{"name": name, "digest": str(digest)} for name, digest in self.volumes.items()],
        }
        return json.dumps(document).encode()


def note_of(medium: Medium) -> Path:
    """Where the note lies while the bundle is written."""
    return medium.folder / f"{medium.stem}.signing"


def require_finished(medium: Medium) -> None:
    """Raises: IntegrityError while a change of the bundle is noted and may be half done."""
    if is_there(note_of(medium)):
        raise IntegrityError(
            f"{medium.place}: signing it was interrupted; {note_of(medium).name} says what is left to do",
            hint="Finish it: llm-bundle sign FILE --key KEY. It is not checked or unpacked before.",
        )


def read_note(medium: Medium) -> Change | None:
    """The change that an earlier run noted and may not have finished. Raises: IntegrityError; MachineError."""
    path = note_of(medium)
    if not is_there(path):
        return None
    try:
        row = Row(json.loads(read_bounded(path, _MOST_BYTES)), str(path), IntegrityError)
        data = base64.b64decode(row.text("data", 2 * MOST_REGION), validate=True)
    except (ValueError, RecursionError, binascii.Error) as error:
        raise IntegrityError(f"{path}: cannot be read as what `sign` left", hint=REMOVE) from error
    if row.text("format") != _FORMAT:
        raise row.wrong("format", f'"{_FORMAT}"')
    return Change(
        row.digest("sums"),
        row.number("offset"),
        data,
        row.rows("files", lambda one: one.text("name"), 999),
        dict(row.rows("volumes", lambda one: (one.text("name"), one.digest("digest")), 999)),
    )


REMOVE: Final = "Remove it when it belongs to another bundle; `llm-bundle verify` then tells whether this one is whole."


def carry_out(medium: Medium, change: Change) -> None:
    """Note ``change``, do it, and remove the note. Raises: MachineError; the note stays where that stops half-way."""
    note = note_of(medium)
    write_whole(note, change.encode())
    sync_folder(note.parent)
    finish(medium, change)


def finish(medium: Medium, change: Change) -> None:
    """Do what is noted. Raises: MachineError."""
    at = 0
    for index, offset, length in medium.plan(medium.size).pieces(change.offset, len(change.data)):
        _write(medium.path(medium.plan(medium.size).names[index]), offset, change.data[at : at + length])
        at += length
    for name, digest in change.volumes.items():
        write_whole(medium.folder / f"{name}.sha256", f"{digest.hex}  {name}\n".encode())
    sync_folder(medium.folder)
    with guarded(note_of(medium), "remove"):
        note_of(medium).unlink()
    sync_folder(medium.folder)


def _write(path: Path, offset: int, data: bytes) -> None:
    with guarded(path, "write"):
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            while data:
                count = os.pwrite(descriptor, data, offset)
                data, offset = data[count:], offset + count
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
