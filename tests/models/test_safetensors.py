"""safetensors headers: what the real library writes is read; what its loader refuses is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError
from safetensors.numpy import load

from bundler.errors import SpecError
from bundler.models.safetensors import Shard, read_shard
from tests.counterparts.weights import tensors, write_model
from tests.models.stage import Files, load_folder, place, safetensors_bytes, tensor

NAME = "model.safetensors"


def shard_of(data: bytes, size: int | None = None) -> Shard:
    return read_shard(Files({NAME: data}, {NAME: size} if size else None), place(NAME))


def test_the_real_library_is_read(tmp_path: Path) -> None:
    files = load_folder(write_model(tmp_path))
    shard = read_shard(files, place(NAME))
    assert shard.names == set(tensors())
    assert shard.data_bytes == sum(one.nbytes for one in tensors().values())
    assert shard.elements == {"F16": sum(one.size for one in tensors().values())}
    assert shard.maker == "pt"
    assert files.bytes_read < files.paths[NAME] - shard.data_bytes + 1


def test_bfloat16_and_eight_bit_floats() -> None:
    header = {"a": tensor("BF16", [3, 5], 0, 30), "b": tensor("F8_E4M3", [7], 30, 37), "c": tensor("F4", [6], 37, 40)}
    shard = shard_of(safetensors_bytes(header, bytes(40)))
    assert shard.elements == {"BF16": 15, "F8_E4M3": 7, "F4": 6}
    assert shard.dtype_bytes == {"BF16": 30, "F8_E4M3": 7, "F4": 3}


def test_an_unknown_dtype_is_taken_by_its_offsets() -> None:
    assert shard_of(safetensors_bytes({"a": tensor("F2", [100], 0, 25)}, bytes(25))).dtype_bytes == {"F2": 25}


DAMAGED: dict[str, tuple[bytes, str]] = {
    "overlap": (
        safetensors_bytes({"a": tensor("U8", [8], 0, 8), "b": tensor("U8", [8], 4, 12)}, bytes(12)),
        "tensor b overlaps the one before it: it begins at 4, expected 8",
    ),
    "hole": (
        safetensors_bytes({"a": tensor("U8", [8], 0, 8), "b": tensor("U8", [8], 16, 24)}, bytes(24)),
        "tensor b leaves a hole before it: it begins at 16, expected 8",
    ),
    "beyond": (safetensors_bytes({"a": tensor("U8", [8], 0, 8)}, bytes(7)), "is cut short"),
    "trailing": (safetensors_bytes({"a": tensor("U8", [8], 0, 8)}, bytes(9)), "has more data than tensors"),
    "backwards": (safetensors_bytes({"a": tensor("U8", [8], 8, 0)}, bytes(8)), "begin at 8 and end at 0"),
    "negative": (safetensors_bytes({"a": tensor("U8", [8], -8, 0)}, bytes(8)), "expected dtype, shape and two"),
    "one offset": (
        safetensors_bytes({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0]}}, b"1"),
        "expected dtype, shape and two data_offsets",
    ),
    "fraction": (safetensors_bytes({"a": tensor("U8", [8.0], 0, 8)}, bytes(8)), "expected dtype, shape and two"),
    "true": (safetensors_bytes({"a": tensor("U8", [True], 0, 1)}, bytes(1)), "expected dtype, shape and two"),
    "size": (safetensors_bytes({"a": tensor("F16", [8], 0, 8)}, bytes(8)), "8 bytes are not what F16 of shape"),
    "huge": (safetensors_bytes({"a": tensor("F16", [2**63] * 64, 0, 8)}, bytes(8)), "8 bytes are not what F16"),
    "dimensions": (safetensors_bytes({"a": tensor("U8", [1] * 65, 0, 1)}, bytes(1)), "expected dtype, shape"),
    "entry": (safetensors_bytes({"a": [1, 2]}), "tensor a: expected dtype, shape and two data_offsets"),
    "metadata": (safetensors_bytes({"__metadata__": {"format": 1}}), "__metadata__: expected strings only"),
    "list": (safetensors_bytes(b"[1]"), "expected a JSON object, found list"),
    "twice": (safetensors_bytes(b'{"a": 1, "a": 2}'), "'a' stands twice"),
    "not JSON": (safetensors_bytes(b"{nope}"), "not readable JSON"),
    "not UTF-8": (safetensors_bytes(b'{"\xff": 1}'), "not readable JSON"),
    "digits": (safetensors_bytes(b'{"a": ' + b"9" * 100_000 + b"}"), "a number of 100,000 digits"),
    "deep": (safetensors_bytes(b'{"a":' * 200_000), "nested too deeply"),
    "bomb": (safetensors_bytes(b'{"a":[' + b"{}," * 3_000_000), "holds more than 3,000,000 values"),
    "empty header": (safetensors_bytes(b""), "the header is empty"),
    "empty": (b"", "0 bytes are too few"),
    "long header": ((2**63).to_bytes(8, "little") + b"{}", "the header would be 9,223,372,036,854,775,808 bytes"),
    "cut header": ((400).to_bytes(8, "little") + b"{}", "the header is 400 bytes long, but only 2 follow"),
    "a git lfs pointer": (b"version https://git-lfs.github.com/spec/v1\n", "the header would be"),
}


@pytest.mark.parametrize("defect", DAMAGED)
def test_a_damaged_file_is_refused(defect: str) -> None:
    data, words = DAMAGED[defect]
    with pytest.raises(SpecError) as caught:
        shard_of(data)
    assert caught.value.message.startswith("models[0]: model.safetensors: ")
    assert words in caught.value.message
    assert len(caught.value.message) < 500
    assert "take another revision" in caught.value.hint


LENIENT = {"twice"}


@pytest.mark.parametrize("defect", sorted(set(DAMAGED) - LENIENT))
def test_the_real_loader_refuses_it_too(defect: str) -> None:
    with pytest.raises((SafetensorError, ValueError)):
        load(DAMAGED[defect][0])


def test_a_header_at_the_limit_is_read_and_no_more() -> None:
    files = Files({NAME: (100_000_001).to_bytes(8, "little")}, {NAME: 10**12})
    with pytest.raises(SpecError, match="at most 100,000,000 are allowed"):
        read_shard(files, place(NAME))
    assert files.bytes_read == 8


def test_names_from_the_file_are_escaped() -> None:
    header: dict[str, Any] = {"\x1b[31m\ud800" + "x" * 5000: tensor("U8", [8], 0, 4)}
    with pytest.raises(SpecError) as caught:
        shard_of(safetensors_bytes(json.dumps(header).encode(), bytes(4)))
    assert caught.value.message.isprintable()
    assert caught.value.message.encode()
    assert len(caught.value.message) < 300
