"""What GGUF metadata says of the KV cache, with figures that were worked out by hand."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from bundler.errors import SpecError
from bundler.models.gguf import Gguf, Value
from bundler.models.gguf_facts import from_gguf
from bundler.models.inspect import examine
from tests.counterparts.weights import write_gguf
from tests.models.stage import WHERE, gguf_bytes, gguf_number, gguf_string, gguf_tensor, load_folder

LLAMA_8B: dict[str, Value] = {
    "general.architecture": "llama",
    "general.file_type": 15,
    "llama.attention.head_count": 32,
    "llama.attention.head_count_kv": 8,
    "llama.block_count": 32,
    "llama.context_length": 131072,
    "llama.embedding_length": 4096,
}


def head(metadata: dict[str, Value], **type_bytes: int) -> Gguf:
    return Gguf(metadata, tensors=1, elements=1, data_bytes=1, type_bytes=type_bytes)


def test_grouped_query_attention() -> None:
    facts = from_gguf(head(LLAMA_8B))
    assert (facts.kv_bytes_per_token, facts.kv_heads, facts.attention_heads) == (131_072, 8, 32)
    assert (facts.quantization, facts.dtype, facts.context) == ("Q4_K_M", None, 131072)


def test_lengths_of_key_and_value() -> None:
    lengths: dict[str, Value] = {"llama.attention.key_length": 192, "llama.attention.value_length": 128}
    assert from_gguf(head(LLAMA_8B | lengths)).kv_bytes_per_token == 32 * 8 * (192 + 128) * 2


def test_heads_by_layer() -> None:
    by_layer: dict[str, Value] = {"llama.attention.head_count_kv": (8, 0, 4, *[0] * 29, 8, 8)}
    facts = from_gguf(head(LLAMA_8B | by_layer))
    assert facts.kv_bytes_per_token == (8 + 4) * 2 * 128 * 2, "what lies beyond the 32 layers is not counted"
    assert facts.kv_heads == 8


def test_latent_attention() -> None:
    deepseek: dict[str, Value] = {
        "general.architecture": "deepseek2",
        "deepseek2.attention.head_count": 128,
        "deepseek2.attention.head_count_kv": 1,
        "deepseek2.attention.key_length": 576,
        "deepseek2.attention.kv_lora_rank": 512,
        "deepseek2.attention.value_length": 512,
        "deepseek2.block_count": 61,
        "deepseek2.rope.dimension_count": 64,
    }
    assert from_gguf(head(deepseek)).kv_bytes_per_token == 61 * (512 + 64) * 2


def test_the_type_of_most_bytes_stands_in_for_a_missing_file_type() -> None:
    unsaid = {key: value for key, value in LLAMA_8B.items() if key != "general.file_type"}
    assert from_gguf(head(unsaid, F32=10, Q6_K=100)).quantization == "Q6_K"
    assert from_gguf(head(unsaid, BF16=10)).dtype == "bfloat16"
    assert from_gguf(head(unsaid)).quantization is None


@pytest.mark.parametrize("absurd", [0, -1, 2**63, 2.5, "8", True, None, (), (2**63,), (0, 0)])
def test_an_absurd_number_counts_as_not_said(absurd: Value) -> None:
    for key in ("block_count", "embedding_length", "attention.head_count"):
        facts = from_gguf(head(LLAMA_8B | {f"llama.{key}": absurd}))
        assert facts.kv_bytes_per_token is None
    assert from_gguf(head({})).architecture is None


def test_a_projector_lies_beside_the_model(tmp_path: Path) -> None:
    write_gguf(tmp_path / "model.gguf")
    alone = examine(load_folder(tmp_path), where=WHERE)
    writer = gguf.GGUFWriter(tmp_path / "mmproj.gguf", "clip")
    writer.add_tensor("v.patch", np.zeros((512, 512), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    both = examine(load_folder(tmp_path), where=WHERE)
    assert both.architecture == "llama", "the projector is larger and yet not the model"
    assert both.weights_bytes == alone.weights_bytes + 512 * 512 * 4


def _refusal(folder: Path) -> str:
    with pytest.raises(SpecError) as caught:
        examine(load_folder(folder), where=WHERE)
    return caught.value.message


def test_a_gguf_without_weights_or_tokenizer(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf_bytes([gguf_string("tokenizer.ggml.model") + b"\x08\0\0\0" + gguf_string("gpt2")], []))
    assert "no weights" in _refusal(tmp_path)
    path.write_bytes(gguf_bytes([], [gguf_tensor("a", [8], 0, 0)], bytes(32)))
    assert "no tokenizer" in _refusal(tmp_path)


def test_a_set_that_lacks_tensors(tmp_path: Path) -> None:
    count = gguf_string("split.tensors.count") + b"\x05\0\0\0" + b"\x09\0\0\0"
    data = gguf_bytes([gguf_number("split.count", 1), count], [gguf_tensor("a", [8], 0, 0)], bytes(32))
    (tmp_path / "model.gguf").write_bytes(data)
    assert "the set should hold 9 tensors, its files hold 1" in _refusal(tmp_path)
