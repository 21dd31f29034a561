"""Whatever stands in the files, only SpecError comes out, and no more than the allowed head is read."""

from __future__ import annotations

import json
import struct
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import SpecError
from bundler.models.config import from_config, from_params
from bundler.models.cursor import HEAD_LIMIT
from bundler.models.document import parse
from bundler.models.facts import ModelFacts
from bundler.models.gguf import read_gguf
from bundler.models.gguf_facts import from_gguf
from bundler.models.inspect import examine
from bundler.models.memory import gpu_need, gpus_that_fit, sentence, warnings
from bundler.models.safetensors import HEADER_LIMIT, read_shard
from tests.counterparts.weights import CONFIG, write_gguf, write_model
from tests.models.stage import WHERE, Files, gguf_bytes, gguf_string, load_folder, place, safetensors_bytes

FAST = settings(max_examples=300, deadline=None)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "architectures",
        "attn_layer_offset",
        "attn_layer_period",
        "dtype",
        "full_attention_interval",
        "head_dim",
        "hidden_size",
        "hybrid_override_pattern",
        "kv_lora_rank",
        "layer_types",
        "linear_attn_config",
        "max_position_embeddings",
        "model_type",
        "multi_query",
        "num_attention_heads",
        "num_hidden_layers",
        "num_key_value_heads",
        "num_kv_shared_layers",
        "qk_rope_head_dim",
        "quantization",
        "quantization_config",
        "rope_scaling",
        "sliding_window",
        "sliding_window_pattern",
        "text_config",
        "v_head_dim",
        "dim",
        "n_heads",
        "n_layers",
        "n_kv_heads",
        "yarn",
        "moe",
        "vision_encoder",
        "use_sliding_window",
        "max_window_layers",
    ]
)


@cache
def real_models() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """A model of transformers in two shards, and a GGUF."""
    with tempfile.TemporaryDirectory() as folder:
        write_gguf(Path(folder) / "gguf" / "model.gguf")
        first = load_folder(write_model(Path(folder) / "hf", shards=2))
        return first.content, load_folder(Path(folder) / "gguf").content


def only_spec_errors(content: dict[str, bytes], sizes: dict[str, int] | None = None) -> ModelFacts | None:
    files = Files(content, sizes)
    limit = sum(min(size, HEAD_LIMIT) for size in files.paths.values()) * 3 + 4096
    try:
        facts = examine(files, where=WHERE)
    except SpecError as error:
        assert len(error.message) < 1000
        assert error.message.isprintable()
        return None
    finally:
        assert files.bytes_read <= limit
    _speak(facts)
    return facts


def _speak(facts: ModelFacts) -> None:
    need = gpu_need(facts, context=65536)
    assert sentence(need, gpus_that_fit(need)).encode()
    assert all(one.encode() for one in warnings(facts, model_id="m", engine="vllm", context=65536))


def mutated(data: bytes, edits: list[tuple[int, int]], cut: int) -> bytes:
    changed = bytearray(data)
    for at, value in edits:
        changed[at % len(changed)] = value
    return bytes(changed[: max(len(changed) - cut, 0)])


EDITS = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=4)
CUT = st.one_of(st.just(0), st.integers(0, 30_000))


@FAST
@given(st.data(), EDITS, CUT)
def test_a_model_of_transformers_with_flipped_bytes(
    data: st.DataObject, edits: list[tuple[int, int]], cut: int
) -> None:
    content = dict(real_models()[0])
    path = data.draw(st.sampled_from(sorted(content)))
    content[path] = mutated(content[path], edits, cut)
    only_spec_errors(content)


@FAST
@given(st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 255)), max_size=4), CUT)
def test_a_gguf_with_flipped_bytes(edits: list[tuple[int, int]], cut: int) -> None:
    content = real_models()[1]
    only_spec_errors({"model.gguf": mutated(content["model.gguf"], edits, cut)})


@FAST
@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_as_a_safetensors_header(header: bytes, framed: bool) -> None:
    data = safetensors_bytes(header, bytes(8)) if framed else header
    assert only_spec_errors({"model.safetensors": data, "config.json": b"{}"}) is None


@FAST
@given(st.dictionaries(st.text(max_size=5), JSON | st.fixed_dictionaries({"dtype": JSON, "shape": JSON})))
def test_any_json_as_a_safetensors_header(header: dict[str, Any]) -> None:
    files = Files({"m": safetensors_bytes(header, bytes(8))})
    try:
        read_shard(files, place("m"))
    except SpecError:
        pass
    assert files.bytes_read <= files.paths["m"]


@FAST
@given(st.binary(max_size=200), st.integers(0, 3), st.integers(0, 3), st.sampled_from([0, 10**9, 10**15]))
def test_random_bytes_as_gguf_metadata(body: bytes, tensors: int, entries: int, more: int) -> None:
    head = b"GGUF" + struct.pack("<IQQ", 3, tensors, entries) + body
    files = Files({"m": head}, {"m": len(head) + more})
    try:
        from_gguf(read_gguf(files, place("m")))
    except SpecError:
        pass
    assert files.bytes_read <= 64 << 20


@FAST
@given(st.lists(st.tuples(st.sampled_from(["a", "split.count", "general.alignment"]), st.integers(0, 13)), max_size=3))
def test_any_metadata_of_any_type(entries: list[tuple[str, int]]) -> None:
    metadata = [gguf_string(key) + struct.pack("<I", kind) + bytes(12) for key, kind in entries]
    only_spec_errors({"model.gguf": gguf_bytes(metadata, [])})


@FAST
@given(st.dictionaries(KEYS, JSON), st.booleans())
def test_any_json_as_a_configuration(changes: dict[str, Any], on_top: bool) -> None:
    config = CONFIG | changes if on_top else changes
    for facts in (from_config(config), from_params(config)):
        assert facts.context is None or 0 < facts.context < 2**52
        assert facts.kv_bytes_per_token is None or facts.kv_bytes_per_token >= 0
        assert facts.architecture is None or facts.architecture.isprintable()
        _speak(facts)


@FAST
@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_as_json(data: bytes) -> None:
    for unique in (True, False):
        try:
            assert isinstance(parse(data, place("config.json"), unique=unique), dict)
        except SpecError:
            pass


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json", "params.json"])
@pytest.mark.parametrize("bomb", [b'{"a":' * 300_000, b"[" * 300_000, b'{"a":1' + b"0" * 5_000_000 + b"}"])
def test_json_bombs(name: str, bomb: bytes) -> None:
    content = dict(real_models()[0]) | {name: bomb}
    if name == "params.json":
        del content["config.json"]
    assert only_spec_errors(content) is None


def test_a_claimed_size_is_never_read() -> None:
    """A server that claims a petabyte and sends an endless header makes us read the allowed head, no more."""
    files = Files({"model.safetensors": HEADER_LIMIT.to_bytes(8, "little")}, {"model.safetensors": 10**15})
    with pytest.raises(SpecError, match="not readable JSON"):
        examine(files, where=WHERE)
    assert files.bytes_read == HEADER_LIMIT + 8


def test_nesting_that_just_passes_the_parser_harms_nobody_later() -> None:
    """What Python parses may still be too deep for ``repr``, which no message may thus be made of."""
    for depth in range(100, 1000, 50):
        nested = b"[" * depth + b"]" * depth
        config = b'{"num_hidden_layers": 1, "layer_types": [%s], "model_type": %s, "sliding_window": 4}' % (
            nested,
            nested,
        )
        only_spec_errors(dict(real_models()[0]) | {"config.json": config})
        index = b'{"weight_map": {"a": %s}}' % nested
        assert only_spec_errors(dict(real_models()[0]) | {"model.safetensors.index.json": index}) is None
