"""Sets of weights that lie in several files: ``NAME-00001-of-00005.safetensors`` and index files.

Rules: a set is whole or refused. The format of the index is that of
https://huggingface.co/docs/transformers/big_models: ``weight_map`` names the file of each tensor.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bundler.models.document import load
from bundler.models.interface import ModelFiles
from bundler.models.place import Place, shown

INDEX_SUFFIXES = (".safetensors.index.json", ".bin.index.json")
_WEIGHTS = (".safetensors", ".gguf")
_INDEX_LIMIT = 64 << 20
_NUMBERED = re.compile(r"(?P<stem>.+)-(?P<number>[0-9]{5,6})-of-(?P<total>[0-9]{5,6})(?P<suffix>\.[A-Za-z]+)")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A file's name taken apart: its set, its number from 1, and how many there are."""

    set_name: str
    number: int
    total: int


def numbered(path: str) -> Numbered | None:
    """The parts of a name like ``model-00001-of-00005.safetensors``; None for any other name."""
    match = _NUMBERED.fullmatch(path)
    if not match:
        return None
    return Numbered(match["stem"] + match["suffix"], int(match["number"]), int(match["total"]))


def set_name(path: str) -> str:
    """The name of the set that ``path`` belongs to: the path itself without its number."""
    parts = numbered(path)
    return parts.set_name if parts else path


def check_numbering(paths: Iterable[str], where: str) -> None:
    """See that every numbered set is whole. Raises: SpecError naming the files that are missing."""
    sets: dict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    for path in paths:
        if parts := numbered(path):
            sets[parts.set_name, parts.total][parts.number] = path
    for (_, total), members in sorted(sets.items()):
        known = next(iter(members.values()))
        missing = [number for number in range(1, total + 1) if number not in members]
        if missing:
            raise _lacking(Place(where, known), [_renumbered(known, n) for n in missing], total)


def read_index(files: ModelFiles, place: Place) -> dict[str, set[str]]:
    """Path of each file that the index names, with its tensors; empty for an index that was left over.

    An index is left over when none of its files is there but other weights are: of a repository that holds the
    weights twice, one set was chosen. Raises: SpecError when only some of the files are there.
    """
    document = load(files, place, limit=_INDEX_LIMIT)
    weight_map = document.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise place.fault("expected a weight_map that names the file of each tensor, found none")
    folder = posixpath.dirname(place.path)
    shards: dict[str, set[str]] = defaultdict(set)
    for tensor, name in weight_map.items():
        if not isinstance(name, str):
            raise place.fault(f"weight_map: {shown(tensor)}: expected a file name, found {type(name).__name__}")
        shards[posixpath.join(folder, name)].add(tensor)
    missing = sorted(path for path in shards if path not in files.paths)
    if len(missing) == len(shards) and any(path.lower().endswith(_WEIGHTS) for path in files.paths):
        return {}
    if missing:
        raise _lacking(place, missing, len(shards))
    return dict(shards)


def check_tensors(place: Place, shard: str, expected: Collection[str], found: Collection[str]) -> None:
    """See that a file holds the tensors which the index at ``place`` puts there. Raises: SpecError."""
    absent = sorted(set(expected) - set(found))
    if absent:
        others = f" and {len(absent) - 1:,} others" if len(absent) > 1 else ""
        raise place.fault(f"puts tensor {shown(absent[0])}{others} into {shown(shard)}, which does not hold it")


def _renumbered(path: str, number: int) -> str:
    width = len(path.rsplit("-of-", 1)[0].rsplit("-", 1)[1])
    head, tail = path.rsplit("-of-", 1)
    return f"{head.rsplit('-', 1)[0]}-{number:0{width}}-of-{tail}"


def _lacking(place: Place, missing: list[str], total: int) -> Exception:
    names = ", ".join(map(shown, missing[:3])) + (", …" if len(missing) > 3 else "")
    return place.fault(
        f"{len(missing):,} of the {total:,} files of this set are missing: {names}",
        hint="include every file of the set (files.include in bundle.yml), or fetch the model again",
    )
