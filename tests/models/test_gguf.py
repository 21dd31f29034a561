"""GGUF heads: what the real library writes is read, what is damaged is refused, and never more is read than needed."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import pytest

from bundler.errors import SpecError
from bundler.models.ggml import FILE_TYPES, TENSOR_TYPES
from bundler.models.gguf import Gguf, read_gguf
from tests.counterparts.weights import CONTEXT, KV_HEADS, LAYERS, tensors, write_gguf
from tests.models.stage import Files, gguf_bytes, gguf_number, gguf_string, gguf_tensor, load_folder, place

NAME = "model.gguf"


def head_of(data: bytes, size: int | None = None) -> Gguf:
    return read_gguf(Files({NAME: data}, {NAME: size} if size else None), place(NAME))


@pytest.mark.parametrize("quantized", [False, True])
def test_the_real_library_is_read(tmp_path: Path, quantized: bool) -> None:
    (path,) = write_gguf(tmp_path / NAME, quantized=quantized)
    head = read_gguf(load_folder(tmp_path), place(NAME))
    reader = gguf.GGUFReader(path)
    assert head.metadata["llama.context_length"] == CONTEXT
    assert head.metadata["llama.block_count"] == LAYERS
    assert head.metadata["llama.attention.head_count_kv"] == KV_HEADS
    assert head.metadata["tokenizer.ggml.model"] == "gpt2"
    assert head.metadata["tokenizer.ggml.tokens"] is None
    assert "tokenizer.chat_template" in head.metadata
    assert head.tensors == len(reader.tensors) == len(tensors())
    assert head.elements == sum(int(one.n_elements) for one in reader.tensors)
    assert sum(head.type_bytes.values()) == sum(int(one.n_bytes) for one in reader.tensors)
    assert head.data_bytes == path.stat().st_size - reader.data_offset


def test_the_tables_are_those_of_the_library() -> None:
    sizes = {kind.value: (kind.name, *size) for kind, size in gguf.GGML_QUANT_SIZES.items()}
    for number, kind in TENSOR_TYPES.items():
        if number in sizes:
            assert (kind.name, kind.block, kind.size) == sizes[number]
    assert len(set(TENSOR_TYPES) & set(sizes)) >= 28
    names = {kind.value: kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in gguf.LlamaFileType}
    assert {number: name for number, name in FILE_TYPES.items() if number in names}.items() <= names.items()


def test_every_type_of_metadata_is_read(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / NAME, "llama")
    writer.add_uint8("a.u8", 200)
    writer.add_int8("a.i8", -3)
    writer.add_uint16("a.u16", 60_000)
    writer.add_int16("a.i16", -300)
    writer.add_uint32("a.u32", 2**32 - 1)
    writer.add_int32("a.i32", -(2**31))
    writer.add_uint64("a.u64", 2**64 - 1)
    writer.add_int64("a.i64", -(2**63))
    writer.add_float32("a.f32", 0.5)
    writer.add_float64("a.f64", 0.25)
    writer.add_bool("a.bool", True)
    writer.add_string("a.string", "ü" * 2_000)
    writer.add_string("a.long", "x" * 5_000_000)
    writer.add_array("a.layers", [8, 0, 8])
    writer.add_array("a.words", ["a", "", "bc"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    files = load_folder(tmp_path)
    found = {key[2:]: value for key, value in read_gguf(files, place(NAME)).metadata.items()}
    assert found["u8"] == 200 and found["i8"] == -3 and found["u16"] == 60_000 and found["i16"] == -300
    assert found["u32"] == 2**32 - 1 and found["i32"] == -(2**31)
    assert found["u64"] == 2**64 - 1 and found["i64"] == -(2**63)
    assert found["f32"] == 0.5 and found["f64"] == 0.25 and found["bool"] is True
    assert found["string"] == "ü" * 2_000 and found["long"] is None
    assert found["layers"] == (8, 0, 8) and found["words"] is None
    assert files.bytes_read < 1_100_000, "the long string is stepped over"


def test_a_large_tokenizer_is_read_in_growing_pieces() -> None:
    words = struct.pack("<IQ", 8, 300_000) + b"".join(gguf_string(f"word {number:024}") for number in range(300_000))
    data = gguf_bytes([gguf_string("tokens") + struct.pack("<I", 9) + words, gguf_number("after", 7)], [])
    files = Files({NAME: data}, {NAME: 10**11})
    assert read_gguf(files, place(NAME)).metadata == {"tokens": None, "after": 7}
    assert files.bytes_read < 2.2 * len(data)


def _two(first: int, second: int, size: int, *, alignment: int = 32) -> bytes:
    infos = [gguf_tensor("a", [16], 0, first), gguf_tensor("b", [16], 0, second)]
    return gguf_bytes([], infos, bytes(size), alignment=alignment)


def _array(kind: int, count: int) -> bytes:
    return gguf_bytes([gguf_string("a") + struct.pack("<IIQ", 9, kind, count)], [])


DAMAGED: dict[str, tuple[bytes, str]] = {
    "magic": (b"GGML" + bytes(100), "expected a GGUF file, which starts with GGUF, found b'GGML'"),
    "html": (b"<!DOCTYPE html><html>", "expected a GGUF file"),
    "empty": (b"", "at byte 0: 4 more bytes are announced, the file has 0"),
    "short": (b"GGUF\3\0", "at byte 4: 4 more bytes are announced"),
    "version 1": (gguf_bytes([], [], version=1), "GGUF version 1; expected 2 or 3"),
    "version 4": (gguf_bytes([], [], version=4), "GGUF version 4; expected 2 or 3"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "a big-endian GGUF file"),
    "entries": (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "metadata entries; expected at most 4,000,000"),
    "tensors": (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "tensors; expected at most 4,000,000"),
    "key": (gguf_bytes([struct.pack("<Q", 2**62)], []), "a name of 4,611,686,018,427,387,904 bytes"),
    "key past the end": (gguf_bytes([struct.pack("<Q", 60_000)], []), "60,000 more bytes are announced"),
    "string": (gguf_bytes([gguf_string("a") + struct.pack("<IQ", 8, 2**63)], []), "more bytes are announced"),
    "type": (gguf_bytes([gguf_string("a") + struct.pack("<I", 99)], []), "metadata: a: unknown type 99"),
    "array type": (_array(9, 1), "metadata: a: an array of the unknown type 9"),
    "strings": (_array(8, 2**60), "strings in a; expected at most 4,000,000"),
    "numbers": (_array(10, 2**61), "more bytes are announced"),
    "key twice": (gguf_bytes([gguf_number("a", 1)] * 2, []), "metadata: a stands twice"),
    "alignment 0": (gguf_bytes([gguf_number("general.alignment", 0)], []), "expected a power of two, found 0"),
    "alignment 24": (gguf_bytes([gguf_number("general.alignment", 24)], []), "expected a power of two, found 24"),
    "overlap": (_two(0, 32, 128), "tensor b overlaps the one before it, at 32"),
    "cut": (_two(0, 64, 127), "is cut short: tensor b ends at 128, the file has 127 of data"),
    "unaligned": (_two(0, 72, 256), "tensor b: offset 72 is not a multiple of 32"),
    "far": (_two(0, 2**63, 128), "is cut short: tensor b"),
    "tensor twice": (
        gguf_bytes([], [gguf_tensor("a", [8], 0, 0), gguf_tensor("a", [8], 0, 32)], bytes(64)),
        "tensor a stands twice",
    ),
    "rows": (gguf_bytes([], [gguf_tensor("a", [48], 8, 0)], bytes(64)), "are not whole Q8_0 blocks of 32"),
    "dimensions": (gguf_bytes([], [gguf_string("a") + struct.pack("<I", 2**31)]), "expected at most 8"),
    "overflow": (gguf_bytes([], [gguf_tensor("a", [2**63] * 8, 0, 0)], bytes(64)), "is cut short: tensor a"),
}


@pytest.mark.parametrize("defect", DAMAGED)
def test_a_damaged_file_is_refused(defect: str) -> None:
    data, words = DAMAGED[defect]
    with pytest.raises(SpecError) as caught:
        head_of(data)
    assert caught.value.message.startswith("models[0]: model.gguf: ")
    assert words in caught.value.message
    assert len(caught.value.message) < 500
    assert caught.value.hint


def test_a_head_that_never_ends_is_refused() -> None:
    endless = gguf_string("a") + struct.pack("<IQ", 8, 2**40)
    with pytest.raises(SpecError, match="the head is longer than 268,435,456 bytes"):
        head_of(gguf_bytes([endless], []), 2**50)


def test_an_unknown_tensor_type_is_tolerated_inside_the_file() -> None:
    head = head_of(gguf_bytes([], [gguf_tensor("a", [100], 99, 0), gguf_tensor("b", [8], 0, 64)], bytes(96)))
    assert head.type_bytes == {"type 99": 0, "F32": 32}
    with pytest.raises(SpecError, match="is cut short"):
        head_of(gguf_bytes([], [gguf_tensor("a", [100], 99, 128)], bytes(96)))
