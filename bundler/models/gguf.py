"""What the head of a GGUF file says: its metadata and where its tensors lie.

Rules: versions 2 and 3, little-endian; no key and no tensor stands twice; each tensor is aligned, lies inside
the file and overlaps no other. Arrays are stepped over, but for short ones of whole numbers (heads by layer).
The format is that of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from bundler.models.cursor import Cursor
from bundler.models.ggml import TENSOR_TYPES
from bundler.models.interface import ModelFiles
from bundler.models.place import Place, shown

Value: TypeAlias = "int | float | bool | str | tuple[int, ...] | None"

_FORMS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_WHOLE = (0, 1, 2, 3, 4, 5, 10, 11)
_STRING, _ARRAY = 8, 9
_LONGEST_KEY = 65_535
_LONGEST_KEPT = 4_096
_DIMENSIONS = 8
_DEFAULT_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Gguf:
    """One file. ``metadata`` holds None for what is there but too long to keep; ``type_bytes`` is by tensor type."""

    metadata: Mapping[str, Value]
    tensors: int
    elements: int
    data_bytes: int
    type_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    type_name: str
    elements: int
    offset: int
    size: int


def read_gguf(files: ModelFiles, place: Place) -> Gguf:
    """Read and check the head of the file at ``place``. Raises: SpecError saying what is wrong with it."""
    cursor = Cursor(files, place)
    _check_version(cursor)
    tensor_count = cursor.count(cursor.u64(), "tensors")
    metadata = _metadata(cursor, cursor.count(cursor.u64(), "metadata entries"))
    alignment = _alignment(metadata, place)
    tensors = [_tensor(cursor, alignment) for _ in range(tensor_count)]
    start = -(-cursor.position // alignment) * alignment
    _check_layout(tensors, max(cursor.size - start, 0), place)
    type_bytes: Counter[str] = Counter()
    for tensor in tensors:
        type_bytes[tensor.type_name] += tensor.size
    elements = sum(tensor.elements for tensor in tensors)
    return Gguf(metadata, tensor_count, elements, max(cursor.size - start, 0), type_bytes)


def _check_version(cursor: Cursor) -> None:
    magic = cursor.take(4)
    if magic != b"GGUF":
        raise cursor.place.fault(f"expected a GGUF file, which starts with GGUF, found {magic!r}")
    version = cursor.u32()
    if version in (2, 3):
        return
    if version & 0xFFFF == 0:
        hint = "take a little-endian conversion of the model"
        raise cursor.place.fault("a big-endian GGUF file, which no engine here reads", hint=hint)
    hint = "convert the model with a present-day llama.cpp, or take a newer conversion"
    raise cursor.place.fault(f"GGUF version {version}; expected 2 or 3", hint=hint)


def _metadata(cursor: Cursor, count: int) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for _ in range(count):
        key = _name(cursor)
        if key in found:
            raise cursor.place.fault(f"metadata: {shown(key)} stands twice")
        found[key] = _value(cursor, cursor.u32(), key)
    return found


def _name(cursor: Cursor) -> str:
    length = cursor.u64()
    if length > _LONGEST_KEY:
        raise cursor.place.fault(f"a name of {length:,} bytes; expected at most {_LONGEST_KEY:,}")
    return cursor.take(length).decode("utf-8", "backslashreplace")


def _value(cursor: Cursor, kind: int, key: str) -> Value:
    if kind in _FORMS:
        return cursor.number(_FORMS[kind])
    if kind == _STRING:
        length = cursor.u64()
        if length <= _LONGEST_KEPT:
            return cursor.take(length).decode("utf-8", "backslashreplace")
        cursor.skip(length)
        return None
    if kind == _ARRAY:
        return _array(cursor, key)
    raise cursor.place.fault(f"metadata: {shown(key)}: unknown type {kind}")


def _array(cursor: Cursor, key: str) -> tuple[int, ...] | None:
    kind, count = cursor.u32(), cursor.u64()
    if kind == _STRING:
        for _ in range(cursor.count(count, f"strings in {shown(key)}")):
            cursor.skip(cursor.u64())
        return None
    if kind not in _WIDTHS:
        raise cursor.place.fault(f"metadata: {shown(key)}: an array of the unknown type {kind}")
    if kind in _WHOLE and count <= _LONGEST_KEPT:
        return tuple(int(cursor.number(_FORMS[kind])) for _ in range(cursor.count(count, "numbers")))
    cursor.skip(count * _WIDTHS[kind])
    return None


def _alignment(metadata: Mapping[str, Value], place: Place) -> int:
    found = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not isinstance(found, int) or found <= 0 or found & (found - 1):
        raise place.fault(f"general.alignment: expected a power of two, found {found!r:.40}")
    return found


def _tensor(cursor: Cursor, alignment: int) -> _Tensor:
    name = _name(cursor)
    dimensions = cursor.u32()
    if dimensions > _DIMENSIONS:
        raise cursor.place.fault(f"tensor {shown(name)}: {dimensions:,} dimensions; expected at most {_DIMENSIONS}")
    shape = [cursor.u64() for _ in range(dimensions)]
    kind, offset = cursor.u32(), cursor.u64()
    if offset % alignment:
        raise cursor.place.fault(f"tensor {shown(name)}: offset {offset:,} is not a multiple of {alignment}")
    known = TENSOR_TYPES.get(kind)
    if known is None:
        return _Tensor(name, f"type {kind}", prod(shape), offset, 0)
    if known.block > 1 and (not shape or shape[0] % known.block):
        raise cursor.place.fault(
            f"tensor {shown(name)}: rows of shape {shape} are not whole {known.name} blocks of {known.block}"
        )
    return _Tensor(name, known.name, prod(shape), offset, prod(shape) // known.block * known.size)


def _check_layout(tensors: list[_Tensor], data_bytes: int, place: Place) -> None:
    names = Counter(tensor.name for tensor in tensors)
    if len(names) < len(tensors):
        raise place.fault(f"tensor {shown(names.most_common(1)[0][0])} stands twice")
    end = 0
    for tensor in sorted(tensors, key=lambda one: (one.offset, one.size)):
        if tensor.offset < end:
            raise place.fault(f"tensor {shown(tensor.name)} overlaps the one before it, at {tensor.offset:,}")
        end = tensor.offset + tensor.size
        if end > data_bytes:
            raise place.fault(
                f"is cut short: tensor {shown(tensor.name)} ends at {end:,}, the file has {data_bytes:,} of data"
            )
