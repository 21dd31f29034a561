"""Read every file of weights that a model has, and say which of them the engine loads.

Rules: each file is checked, but where a repository holds the weights twice only one set counts: the one that an index
names, else ``model*`` before ``consolidated*``; of several GGUF files the largest, with its projector. Weights in
sub-folders count only where the top has none.
"""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from dataclasses import dataclass

from bundler.models.gguf import Gguf, read_gguf
from bundler.models.gguf_facts import PROJECTOR
from bundler.models.interface import ModelFiles
from bundler.models.place import Place
from bundler.models.safetensors import Shard, read_shard
from bundler.models.shards import INDEX_SUFFIXES, check_tensors, numbered, read_index, set_name


@dataclass(frozen=True, slots=True)
class Tensors:
    """The safetensors files that the engine loads, summed up. ``paths`` is empty where there are none."""

    paths: tuple[str, ...]
    data_bytes: int
    elements: dict[str, int]
    dtype_bytes: dict[str, int]
    maker: str | None


@dataclass(frozen=True, slots=True)
class GgufSet:
    """One GGUF model: the head of its first file, the bytes and parameters of all, and of a projector beside it."""

    head: Gguf
    path: str
    data_bytes: int
    elements: int


def read_safetensors(files: ModelFiles, where: str) -> Tensors:
    """Check all safetensors files and sum up those that count. Raises: SpecError."""
    paths = sorted(path for path in files.paths if path.lower().endswith(".safetensors"))
    shards = {path: read_shard(files, Place(where, path)) for path in paths}
    indexed = _check_indexes(files, shards, where)
    counted = _counted(paths, indexed)
    elements: Counter[str] = Counter()
    dtype_bytes: Counter[str] = Counter()
    for path in counted:
        elements.update(shards[path].elements)
        dtype_bytes.update(shards[path].dtype_bytes)
    maker = shards[counted[0]].maker if counted else None
    total = sum(shards[path].data_bytes for path in counted)
    return Tensors(counted, total, elements, dtype_bytes, maker)


def read_ggufs(files: ModelFiles, where: str) -> GgufSet | None:
    """Check all GGUF files and describe the largest model among them. Raises: SpecError."""
    paths = sorted(path for path in files.paths if path.lower().endswith(".gguf"))
    sets: dict[str, dict[str, Gguf]] = defaultdict(dict)
    for path in paths:
        sets[set_name(path)][path] = read_gguf(files, Place(where, path))
    for members in sets.values():
        _check_split(members, where)
    top = [one for one in map(_summed, sets.values()) if one.path in _top(paths)]
    projectors = [one for one in top if one.head.metadata.get("general.architecture") == PROJECTOR]
    models = [one for one in top if one not in projectors and one.elements]
    if not models:
        return None
    largest = max(models, key=lambda one: one.data_bytes)
    beside = max((one.data_bytes for one in projectors), default=0)
    return GgufSet(largest.head, largest.path, largest.data_bytes + beside, largest.elements)


def _check_indexes(files: ModelFiles, shards: dict[str, Shard], where: str) -> list[tuple[str, ...]]:
    found = []
    for path in sorted(files.paths):
        if not path.endswith(INDEX_SUFFIXES):
            continue
        place = Place(where, path)
        named = read_index(files, place)
        for shard, tensors in sorted(named.items()):
            if shard in shards:
                check_tensors(place, shard, tensors, shards[shard].names)
        if named and set(named) <= set(shards):
            found.append(tuple(sorted(named)))
    return found


def _counted(paths: list[str], indexed: list[tuple[str, ...]]) -> tuple[str, ...]:
    top = _top(paths)
    own = [path for path in top if not posixpath.basename(path).startswith("consolidated")] or top
    named = [shards for shards in indexed if set(shards) <= set(own)]
    return named[0] if named else tuple(own)


def _top(paths: list[str]) -> list[str]:
    return [path for path in paths if "/" not in path] or paths


def _summed(members: dict[str, Gguf]) -> GgufSet:
    path = min(members)
    data_bytes = sum(one.data_bytes for one in members.values())
    return GgufSet(members[path], path, data_bytes, sum(one.elements for one in members.values()))


def _check_split(members: dict[str, Gguf], where: str) -> None:
    """What ``split.*`` says must fit the names, as llama.cpp's loader demands."""
    for path, head in sorted(members.items()):
        count = head.metadata.get("split.count", 0)
        parts = numbered(path)
        if isinstance(count, int) and count > 1 and (parts is None or parts.total != count):
            raise Place(where, path).fault(
                f"is one of {count:,} parts, which its name does not say",
                hint="keep the names that llama-gguf-split gave: NAME-00001-of-00005.gguf, and take all parts",
            )
        number = head.metadata.get("split.no", 0)
        if parts and type(number) is int and number != parts.number - 1:
            raise Place(where, path).fault(f"is part {number + 1:,} of its set by its own word, not by its name")
    first = min(members)
    expected = members[first].metadata.get("split.tensors.count")
    found = sum(one.tensors for one in members.values())
    if isinstance(expected, int) and expected != found:
        raise Place(where, first).fault(f"the set should hold {expected:,} tensors, its files hold {found:,}")
