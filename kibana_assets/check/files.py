"""Saved objects of a file: NDJSON as Kibana exports and imports it, or a package's zip file.

Rules: a file is from anywhere: every read is bounded, by Kibana's own limits where it has one. A zip's objects are
checked against the fields that the zip itself declares.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from kibana_assets.errors import PackageError
from kibana_assets.package.tree import MOST_BYTES, Tree

MOST_NDJSON: Final = 26_214_400
MOST_ZIP: Final = 104_857_600
MOST_OBJECTS: Final = 10_000
_MOST_INSIDE: Final = 4 * MOST_ZIP
_ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Found:
    """The objects of a file; ``tree`` is the package that they came in, or nothing."""

    objects: tuple[dict[str, Any], ...]
    tree: Tree | None = None


def read(data: bytes, name: str) -> Found:
    """The objects in ``data``; ``name`` names it in errors. Raises: PackageError."""
    return _zip(data, name) if data.startswith(_ZIP) else Found(tuple(_ndjson(data, name)))


def _ndjson(data: bytes, name: str) -> Iterator[dict[str, Any]]:
    if len(data) > MOST_NDJSON:
        raise PackageError(f"{name}: {len(data)} bytes, expected {MOST_NDJSON} at most, which is Kibana's limit")
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise PackageError(
            f"{name}: byte {error.start}: neither UTF-8 nor a zip file", hint="Export it again."
        ) from error
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        read = _line(line, f"{name}:{number}")
        if not isinstance(read, dict):
            raise PackageError(f"{name}:{number}: expected a saved object", hint="One JSON object a line.")
        count += 1
        if count > MOST_OBJECTS:
            raise PackageError(f"{name}: over {MOST_OBJECTS} objects, which is Kibana's limit", hint="Split the file.")
        if "exportedCount" not in read:
            yield read
    if not count:
        raise PackageError(f"{name}: no saved objects", hint="Give NDJSON as Kibana exports it, or a package's zip.")


def _line(line: str, place: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        said = "nested too deep" if isinstance(error, RecursionError) else f"not JSON: {error}"
        raise PackageError(f"{place}: {said}", hint="One saved object a line, as Kibana exports them.") from error


def _zip(data: bytes, name: str) -> Found:
    if len(data) > MOST_ZIP:
        raise PackageError(f"{name}: {len(data)} bytes, expected {MOST_ZIP} at most, which is Fleet's limit")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            files = dict(_members(opened, name))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise PackageError(f"{name}: not a zip file that can be read: {error}", hint="Copy it again.") from error
    tree = Tree(MappingProxyType(dict(sorted(files.items()))))
    paths = [path for path in tree.files if path.startswith("kibana/") and path.endswith(".json")]
    objects = tuple(one for one in map(tree.json, paths) if isinstance(one, dict))
    return Found(objects, tree)


def _members(opened: zipfile.ZipFile, name: str) -> Iterator[tuple[str, bytes]]:
    """Path below the one top folder → bytes."""
    size = 0
    tops = {one.filename.split("/")[0] for one in opened.infolist()}
    if len(tops) != 1:
        raise PackageError(f"{name}: {len(tops)} top folders, expected one", hint="A package is one folder, zipped.")
    for one in opened.infolist():
        path = one.filename.partition("/")[2]
        if one.is_dir() or not path.endswith((".json", ".yml")):
            continue
        with opened.open(one) as stream:
            data = stream.read(MOST_BYTES + 1)
        size += len(data)
        if len(data) > MOST_BYTES or size > _MOST_INSIDE:
            raise PackageError(f"{name}: {path}: too large for a package", hint="Is it a package's zip file?")
        yield path, data
