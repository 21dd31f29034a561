"""Tiny real models, made with ``safetensors`` and ``gguf``: the files that a hub repository of such a model has.

Rules: the same arguments give the same bytes. The shapes are those of a Llama with two layers, so that what a
test expects of them can be worked out by hand: ``KV_BYTES_PER_TOKEN`` below.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import save_file

LAYERS, HEADS, KV_HEADS, HEAD_DIM, WIDTH, WORDS = 2, 4, 2, 8, 32, 64
CONTEXT = 131_072
KV_BYTES_PER_TOKEN = 2 * LAYERS * KV_HEADS * HEAD_DIM * 2
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": WIDTH,
    "max_position_embeddings": CONTEXT,
    "model_type": "llama",
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "num_key_value_heads": KV_HEADS,
    "torch_dtype": "float16",
    "vocab_size": WORDS,
}
PARAMS: dict[str, Any] = {
    "dim": WIDTH,
    "head_dim": HEAD_DIM,
    "max_position_embeddings": CONTEXT,
    "n_heads": HEADS,
    "n_kv_heads": KV_HEADS,
    "n_layers": LAYERS,
    "vocab_size": WORDS,
}


def tensors(*, width: int = WIDTH, seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
    """The tensors of the model, float16; ``width`` other than 32 makes them larger or smaller, no longer true."""
    random = np.random.default_rng(seed)
    shapes = {"model.embed_tokens.weight": (WORDS, width), "lm_head.weight": (WORDS, width)}
    for layer in range(LAYERS):
        shapes[f"model.layers.{layer}.self_attn.q_proj.weight"] = (width, width)
        shapes[f"model.layers.{layer}.mlp.up_proj.weight"] = (width * 2, width)
    return {name: random.random(shape, dtype=np.float32).astype(np.float16) for name, shape in shapes.items()}


def write_model(folder: Path, *, shards: int = 1, width: int = WIDTH, seed: int = 0) -> Path:
    """A model as transformers writes it: configuration, tokenizer, safetensors, with an index for several shards."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "config.json", CONFIG)
    _write_json(folder / "generation_config.json", {"eos_token_id": 2})
    _write_json(folder / "tokenizer.json", {"version": "1.0", "model": {"type": "BPE", "vocab": {}, "merges": []}})
    _write_json(folder / "tokenizer_config.json", {"model_max_length": CONTEXT})
    write_safetensors(folder, shards=shards, width=width, seed=seed)
    return folder


def write_mistral(folder: Path, *, shards: int = 2) -> Path:
    """A model as Mistral publishes it: the weights twice, sharded for transformers and consolidated for vLLM."""
    write_model(folder, shards=shards)
    _write_json(folder / "params.json", PARAMS)
    _write_json(folder / "tekken.json", {"config": {"version": "v11"}, "vocab": []})
    save_file(tensors(), folder / "consolidated.safetensors")
    return folder


def write_safetensors(folder: Path, *, shards: int = 1, width: int = WIDTH, seed: int = 0) -> None:
    """Only the weights, ``model.safetensors`` or numbered files with their index."""
    found = tensors(width=width, seed=seed)
    if shards == 1:
        save_file(found, folder / "model.safetensors", metadata={"format": "pt"})
        return
    weight_map: dict[str, str] = {}
    names = sorted(found)
    for number in range(shards):
        name = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = {tensor: found[tensor] for tensor in names[number::shards]}
        weight_map |= dict.fromkeys(part, name)
        save_file(part, folder / name, metadata={"format": "pt"})
    total = sum(tensor.nbytes for tensor in found.values())
    _write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": weight_map})


def write_gguf(path: Path, *, parts: int = 1, quantized: bool = False) -> tuple[Path, ...]:
    """A GGUF file with tokenizer and chat template, or as many parts as ``llama-gguf-split`` would name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "llama", split_max_tensors=3 if parts > 1 else 0)
    writer.add_context_length(CONTEXT)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    kind = gguf.GGMLQuantizationType.Q8_0 if quantized else gguf.GGMLQuantizationType.F16
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if quantized else gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"word{number}" for number in range(WORDS)])
    writer.add_token_scores([0.0] * WORDS)
    writer.add_chat_template("{% for message in messages %}{{ message.content }}{% endfor %}")
    for name, tensor in tensors().items():
        data = gguf.quants.quantize(tensor.astype(np.float32), kind) if quantized else tensor
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file(path=path)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tuple(sorted(path.parent.glob(f"{path.stem}*.gguf")))


def write_pickle(path: Path, *, protocol: int = 2) -> Path:
    """A pickled dictionary, harmless by itself, under whatever name."""
    path.write_bytes(pickle.dumps({"weight": [1.0, 2.0]}, protocol=protocol))
    return path


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
