"""A model as a whole: what is complete is described, what is missing or damaged is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.errors import SpecError
from bundler.models.facts import ModelFacts
from bundler.models.inspect import examine
from tests.counterparts.weights import (
    CONFIG,
    CONTEXT,
    HEADS,
    KV_BYTES_PER_TOKEN,
    KV_HEADS,
    tensors,
    write_gguf,
    write_mistral,
    write_model,
    write_pickle,
)
from tests.models.stage import WHERE, load_folder, safetensors_bytes, tensor

BYTES = sum(one.nbytes for one in tensors().values())
ELEMENTS = sum(one.size for one in tensors().values())
FACTS = ModelFacts(
    architecture="LlamaForCausalLM",
    dtype="float16",
    context=CONTEXT,
    weights_bytes=BYTES,
    parameters=ELEMENTS,
    kv_bytes_per_token=KV_BYTES_PER_TOKEN,
    format="safetensors",
    attention_heads=HEADS,
    kv_heads=KV_HEADS,
)


def facts_of(folder: Path, *allow_pickle: str) -> ModelFacts:
    return examine(load_folder(folder), allow_pickle=allow_pickle, where=WHERE)


def refusal(folder: Path, *allow_pickle: str) -> str:
    with pytest.raises(SpecError) as caught:
        facts_of(folder, *allow_pickle)
    assert caught.value.message.startswith("models[0]: ")
    assert caught.value.hint
    return caught.value.message


def rewrite(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("shards", [1, 3])
def test_a_model_of_transformers(tmp_path: Path, shards: int) -> None:
    assert facts_of(write_model(tmp_path, shards=shards)) == FACTS


@pytest.mark.parametrize("shards", [1, 2])
def test_weights_that_lie_there_twice_count_once(tmp_path: Path, shards: int) -> None:
    assert facts_of(write_mistral(tmp_path, shards=shards)) == FACTS


def test_only_what_the_index_names_counts(tmp_path: Path) -> None:
    write_model(tmp_path, shards=2)
    (tmp_path / "extra.safetensors").write_bytes(safetensors_bytes({"a": tensor("F16", [4], 0, 8)}, bytes(8)))
    assert facts_of(tmp_path) == FACTS


def test_weights_in_a_sub_folder_count_only_where_the_top_has_none(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "original").mkdir()
    (tmp_path / "original" / "x.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes())
    assert facts_of(tmp_path) == FACTS
    (tmp_path / "model.safetensors").unlink()
    assert facts_of(tmp_path) == FACTS


def test_the_set_that_mistral_publishes_for_vllm(tmp_path: Path) -> None:
    write_mistral(tmp_path)
    for path in (*tmp_path.glob("model*"), *tmp_path.glob("*config.json"), tmp_path / "tokenizer.json"):
        path.unlink()
    facts = facts_of(tmp_path)
    assert facts.architecture == "MistralForCausalLM"
    assert (facts.weights_bytes, facts.context, facts.kv_bytes_per_token) == (BYTES, CONTEXT, KV_BYTES_PER_TOKEN)


def test_an_index_that_was_left_over_is_no_fault(tmp_path: Path) -> None:
    write_mistral(tmp_path)
    for path in tmp_path.glob("model-*"):
        path.unlink()
    (tmp_path / "pytorch_model.bin.index.json").write_text('{"weight_map": {"a": "pytorch_model.bin"}}')
    assert facts_of(tmp_path) == FACTS


def test_a_shard_is_missing(tmp_path: Path) -> None:
    write_model(tmp_path, shards=3)
    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    assert refusal(tmp_path) == (
        "models[0]: model-00001-of-00003.safetensors: 1 of the 3 files of this set are missing: "
        "model-00002-of-00003.safetensors"
    )
    (tmp_path / "model.safetensors.index.json").unlink()
    assert "1 of the 3 files of this set are missing" in refusal(tmp_path)


def test_the_index_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    write_model(tmp_path, shards=2)
    index = tmp_path / "model.safetensors.index.json"
    rewrite(index, lambda found: found["weight_map"].update(extra="other.safetensors"))  # type: ignore[attr-defined]
    assert "index.json: 1 of the 3 files of this set are missing: other.safetensors" in refusal(tmp_path)


def test_the_index_puts_a_tensor_into_the_wrong_file(tmp_path: Path) -> None:
    write_model(tmp_path, shards=2)
    index = tmp_path / "model.safetensors.index.json"
    changes = {"lm_head.weight": "model-00002-of-00002.safetensors", "ghost": "model-00001-of-00002.safetensors"}
    rewrite(index, lambda found: found["weight_map"].update(changes))  # type: ignore[attr-defined]
    assert "puts tensor ghost into model-00001-of-00002.safetensors, which does not hold it" in refusal(tmp_path)


@pytest.mark.parametrize("text", ['{"weight_map": {}}', '{"weight_map": {"a": 1}}', "[]", "{", "", '{"weight_map":[]}'])
def test_a_broken_index(tmp_path: Path, text: str) -> None:
    write_model(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(text)
    assert refusal(tmp_path).startswith("models[0]: model.safetensors.index.json: ")


@pytest.mark.parametrize("parts", [1, 2])
def test_a_gguf(tmp_path: Path, parts: int) -> None:
    paths = write_gguf(tmp_path / "model.gguf", parts=parts)
    assert len(paths) == parts
    facts = facts_of(tmp_path)
    assert facts == ModelFacts(
        architecture="llama",
        dtype="float16",
        context=CONTEXT,
        weights_bytes=BYTES,
        parameters=ELEMENTS,
        kv_bytes_per_token=KV_BYTES_PER_TOKEN,
        format="gguf",
        attention_heads=HEADS,
        kv_heads=KV_HEADS,
    )


def test_the_largest_gguf_counts(tmp_path: Path) -> None:
    write_gguf(tmp_path / "small.gguf", quantized=True)
    quantized = facts_of(tmp_path)
    assert (quantized.quantization, quantized.dtype) == ("Q8_0", None)
    assert quantized.weights_bytes == pytest.approx(ELEMENTS * 34 / 32, rel=0.1)
    write_gguf(tmp_path / "large.gguf")
    assert facts_of(tmp_path).dtype == "float16"


def test_a_part_of_a_gguf_is_missing_or_renamed(tmp_path: Path) -> None:
    first, second = write_gguf(tmp_path / "model.gguf", parts=2)
    kept = second.read_bytes()
    second.unlink()
    assert "1 of the 2 files of this set are missing: model-00002-of-00002.gguf" in refusal(tmp_path)
    second.write_bytes(first.read_bytes())
    assert "is part 1 of its set by its own word, not by its name" in refusal(tmp_path)
    second.unlink()
    first.rename(tmp_path / "model.gguf")
    assert "is one of 2 parts, which its name does not say" in refusal(tmp_path)
    (tmp_path / "other.gguf").write_bytes(kept)
    assert "parts, which its name does not say" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("model.safetensors", "no weights: expected safetensors or GGUF files among the 4 of the model"),
        ("config.json", "no configuration: expected config.json or params.json"),
        ("tokenizer.json", "no tokenizer: expected tokenizer.json, tokenizer.model, tekken.json"),
    ],
)
def test_something_is_missing(tmp_path: Path, gone: str, words: str) -> None:
    (write_model(tmp_path) / gone).unlink()
    assert words in refusal(tmp_path)


@pytest.mark.parametrize("names", [("tokenizer.model",), ("tokenizer.model.v3",), ("vocab.json", "merges.txt")])
def test_other_tokenizers(tmp_path: Path, names: tuple[str, ...]) -> None:
    (write_model(tmp_path) / "tokenizer.json").unlink()
    for name in names:
        (tmp_path / name).write_text("{}")
    assert facts_of(tmp_path) == FACTS


def test_a_config_over_its_limit_is_not_read(tmp_path: Path) -> None:
    files = load_folder(write_model(tmp_path))
    files.paths["config.json"] = (16 << 20) + 1
    with pytest.raises(SpecError, match=r"config.json: 16,777,217 bytes; expected 1 to 16,777,216"):
        examine(files, where=WHERE)


def test_a_config_that_holds_infinity_is_read(tmp_path: Path) -> None:
    (write_model(tmp_path) / "config.json").write_text(json.dumps(CONFIG | {"time_step_limit": [0.0, float("inf")]}))
    assert facts_of(tmp_path) == FACTS


def test_a_pickle_beside_the_weights_is_refused(tmp_path: Path) -> None:
    write_pickle(write_model(tmp_path) / "training_args.bin")
    assert "training_args.bin: pickled weights" in refusal(tmp_path)
    assert facts_of(tmp_path, "training_args.bin") == FACTS


def test_allowed_pickles_count_as_weights(tmp_path: Path) -> None:
    (write_model(tmp_path) / "model.safetensors").unlink()
    size = write_pickle(tmp_path / "pytorch_model.bin").stat().st_size
    write_pickle(tmp_path / "training_args.bin")
    facts = facts_of(tmp_path, "pytorch_model.bin", "training_args.bin")
    assert (facts.format, facts.weights_bytes, facts.parameters) == ("pickle", size, None)
    (tmp_path / "pytorch_model.bin").unlink()
    assert "no weights" in refusal(tmp_path, "training_args.bin")


def test_packed_weights_say_no_number_of_parameters(tmp_path: Path) -> None:
    config = CONFIG | {"quantization_config": {"quant_method": "awq", "bits": 4}, "torch_dtype": None}
    (write_model(tmp_path) / "config.json").write_text(json.dumps(config))
    header = {"a": tensor("I32", [8], 0, 32), "b": tensor("BF16", [2], 32, 36)}
    (tmp_path / "model.safetensors").write_bytes(safetensors_bytes(header, bytes(36)))
    facts = facts_of(tmp_path)
    assert (facts.quantization, facts.parameters, facts.dtype) == ("awq 4-bit", None, None)


def test_mlx_weights_are_told_by_their_maker(tmp_path: Path) -> None:
    header = {"__metadata__": {"format": "mlx"}, "a": tensor("BF16", [2], 0, 4)}
    (write_model(tmp_path) / "model.safetensors").write_bytes(safetensors_bytes(header, bytes(4)))
    assert facts_of(tmp_path).format == "mlx"
