"""bundle.lock on disk: JSON with sorted keys and a checksum over all the rest, so that an edit by hand is seen.

Reading believes nothing: even with a right checksum every field is checked before it becomes a value.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from bundler.digest import Digest
from bundler.disk import is_there, read_bounded, write_whole
from bundler.errors import LockError
from bundler.jsonrow import Row, parse
from bundler.lock.model import FORMAT, KINDS, Lock, LockedFile, LockedImage, LockedModel, LockedTool
from bundler.models.facts import ModelFacts
from bundler.relpath import path_fault
from bundler.sources.image import Blob

MAX_BYTES: Final = 64 << 20
_MAX_FILES: Final = 100_000
_MAX_MANIFEST: Final = 8 << 20
_LATEST: Final = 1 << 35
_AGAIN: Final = "Make it anew: llm-bundle lock --update"


def read_lock(path: Path) -> Lock:
    """Read a bundle.lock. Raises: LockError; MachineError when it cannot be read."""
    if not is_there(path):
        raise LockError(f"{path}: there is no lock", hint="Make it: llm-bundle lock")
    return decode(read_bounded(path, MAX_BYTES), where=str(path))


def write_lock(path: Path, lock: Lock) -> None:
    """Write ``lock`` whole or not at all. Raises: MachineError."""
    write_whole(path, encode(lock))


def encode(lock: Lock) -> bytes:
    """The bytes of a bundle.lock."""
    document: dict[str, Any] = {"format": FORMAT, **asdict(lock, dict_factory=_plain)}
    document["checksum"] = str(_checksum(document))
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def decode(data: bytes, *, where: str = "bundle.lock") -> Lock:
    """The lock that ``data`` is. Raises: LockError, with the place."""
    row = parse(data, where, LockError, hint=_AGAIN)
    if row.text("format") != FORMAT:
        raise LockError(f"{where}: format: expected {FORMAT!r}, found {row.text('format')[:40]!r}", hint=_AGAIN)
    claimed = row.value.pop("checksum", None)
    if claimed != str(_checksum(row.value)):
        raise LockError(
            f"{where}: was edited by hand or damaged: its checksum does not match its content",
            hint=f"Change bundle.yml instead. {_AGAIN}",
        )
    return Lock(
        tool=row.text("tool"),
        created=row.number("created", _LATEST),
        request=row.mapping("request"),
        images=row.rows("images", _image, 16),
        models=row.rows("models", _model, 1000),
        extras=row.rows("extras", _file, _MAX_FILES),
        rendered=row.rows("rendered", _file, _MAX_FILES),
        site_tool=_tool(row.row("site_tool")),
        elastic=row.rows("elastic", _file, _MAX_FILES) if "elastic" in row.value else (),
    )


def _plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dataclass's fields as JSON has them."""
    return {key: _written(value) for key, value in pairs}


def _written(value: Any) -> Any:
    # asdict takes a Digest apart before it gets here: {"hex": …} is put together again.
    return f"sha256:{value['hex']}" if isinstance(value, dict) and value.keys() == {"hex"} else value


def _checksum(document: dict[str, Any]) -> Digest:
    rest = {key: value for key, value in document.items() if key != "checksum"}
    return Digest.of(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode())


def _blob(row: Row) -> Blob:
    return Blob(row.text("media_type"), row.digest("digest"), row.number("size"))


def _image(row: Row) -> LockedImage:
    return LockedImage(
        role=row.text("role"),
        written=row.text("written"),
        name=row.text("name"),
        platform=row.text("platform"),
        source_digest=row.digest("source_digest"),
        manifest=row.text("manifest", _MAX_MANIFEST),
        config=_blob(row.row("config")),
        layers=row.rows("layers", _blob, 1000),
    )


def _file(row: Row) -> LockedFile:
    path = row.text("path")
    fault = path_fault(path)
    if fault:
        raise LockError(f"{row.where}: path: {fault}", hint=_AGAIN)
    return LockedFile(path, row.number("size"), row.digest("digest"))


def _tool(row: Row) -> LockedTool:
    versions = row.row("versions")
    return LockedTool(
        row.number("size"), row.digest("digest"), {name: versions.text(name) for name in sorted(versions.value)}
    )


def _model(row: Row) -> LockedModel:
    return LockedModel(
        id=row.text("id"),
        kind=_kind(row),
        commit=row.optional("commit"),
        license=row.optional("license"),
        files=row.rows("files", _file, _MAX_FILES),
        facts=_facts(row.row("facts")),
    )


def _kind(row: Row) -> str:
    kind = row.text("kind")
    if kind not in KINDS:
        raise row.wrong("kind", f"one of {', '.join(KINDS)}")
    return kind


def _facts(row: Row) -> ModelFacts:
    values: dict[str, Any] = {}
    for field in fields(ModelFacts):
        read = row.optional if "str" in str(field.type) else row.optional_number
        values[field.name] = read(field.name)
    values["weights_bytes"] = row.number("weights_bytes")
    return ModelFacts(**values)
