"""What the header of a safetensors file says, checked as strictly as the loader does.

Rules: eight bytes of little-endian length, at most 100 MB of JSON, then the data; the tensors cover the data
without a hole and without an overlap, and dtype times shape is the size of each. The format is that of
https://github.com/huggingface/safetensors#format. Only the header is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, TypeGuard

from bundler.models.document import parse
from bundler.models.interface import ModelFiles
from bundler.models.place import Place, shown

HEADER_LIMIT = 100_000_000
_BITS = {
    8: ("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"),
    4: ("F4", "I4", "U4"),
    6: ("F6_E2M3", "F6_E3M2"),
    16: ("I16", "U16", "F16", "BF16"),
    32: ("I32", "U32", "F32"),
    64: ("I64", "U64", "F64", "C64"),
}
_BITS_OF = {name: bits for bits, names in _BITS.items() for name in names}
_DIMENSIONS = 64


@dataclass(frozen=True, slots=True)
class Shard:
    """One file: its tensors' names, elements and bytes by dtype, and what ``__metadata__`` says of the maker."""

    names: frozenset[str]
    elements: Mapping[str, int]
    dtype_bytes: Mapping[str, int]
    data_bytes: int
    maker: str | None


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    dtype: str
    elements: int
    begin: int
    end: int


def read_shard(files: ModelFiles, place: Place) -> Shard:
    """Read and check the header of the file at ``place``. Raises: SpecError saying what is wrong with it."""
    size = files.paths[place.path]
    length = _header_length(files, place, size)
    header = parse(files.read(place.path, 8, length), place, unique=True)
    metadata = _metadata(header.pop("__metadata__", {}), place)
    tensors = [_tensor(name, entry, place) for name, entry in header.items()]
    _check_coverage(tensors, size - 8 - length, place)
    elements: Counter[str] = Counter()
    dtype_bytes: Counter[str] = Counter()
    for tensor in tensors:
        elements[tensor.dtype] += tensor.elements
        dtype_bytes[tensor.dtype] += tensor.end - tensor.begin
    return Shard(frozenset(header), elements, dtype_bytes, size - 8 - length, metadata.get("format"))


def _header_length(files: ModelFiles, place: Place, size: int) -> int:
    if size < 8:
        raise place.fault(f"{size} bytes are too few for a safetensors file")
    length = int.from_bytes(files.read(place.path, 0, 8), "little")
    if length > HEADER_LIMIT:
        raise place.fault(f"the header would be {length:,} bytes long; at most {HEADER_LIMIT:,} are allowed")
    if length == 0:
        raise place.fault("the header is empty")
    if length > size - 8:
        raise place.fault(f"the header is {length:,} bytes long, but only {size - 8:,} follow")
    return length


def _metadata(found: Any, place: Place) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise place.fault("__metadata__: expected strings only")
    return found


def _tensor(name: str, entry: Any, place: Place) -> _Tensor:
    named = f"tensor {shown(name)}"
    found = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = found.get("dtype"), found.get("shape"), found.get("data_offsets")
    if not isinstance(dtype, str) or not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2:
        raise place.fault(f"{named}: expected dtype, shape and two data_offsets")
    begin, end = offsets
    if begin > end:
        raise place.fault(f"{named}: its data_offsets begin at {begin:,} and end at {end:,}")
    elements = prod(shape)
    bits = _BITS_OF.get(dtype)
    if bits and (elements * bits + 7) // 8 != end - begin:
        raise place.fault(f"{named}: {end - begin:,} bytes are not what {dtype} of shape {shape!r:.80} takes")
    return _Tensor(name, dtype, elements, begin, end)


def _sizes(found: Any) -> TypeGuard[list[int]]:
    """Whether these are whole numbers from 0 on, and no more than any tensor has dimensions."""
    return (
        isinstance(found, list) and len(found) <= _DIMENSIONS and all(type(size) is int and size >= 0 for size in found)
    )


def _check_coverage(tensors: list[_Tensor], data_bytes: int, place: Place) -> None:
    covered = 0
    for tensor in sorted(tensors, key=lambda one: (one.begin, one.end)):
        if tensor.begin != covered:
            kind = "overlaps the one before it" if tensor.begin < covered else "leaves a hole before it"
            raise place.fault(
                f"tensor {shown(tensor.name)} {kind}: it begins at {tensor.begin:,}, expected {covered:,}"
            )
        covered = tensor.end
    if covered != data_bytes:
        kind = "is cut short" if covered > data_bytes else "has more data than tensors"
        raise place.fault(f"{kind}: the tensors take {covered:,} bytes, the file holds {data_bytes:,}")
