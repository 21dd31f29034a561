"""Examine a model: refuse what is unsafe, damaged or incomplete, and say what the weights say of themselves.

Rules: nothing is loaded; of a file of weights only the head is read. A model is complete when it has weights,
every shard of them, a configuration and a tokenizer; a GGUF file carries the last two itself.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bundler.errors import SpecError
from bundler.models.config import from_config, from_params
from bundler.models.document import load
from bundler.models.facts import ModelFacts
from bundler.models.gguf_facts import TOKENIZER, from_gguf
from bundler.models.interface import ModelFiles
from bundler.models.pickles import check_pickles
from bundler.models.place import Place
from bundler.models.shards import check_numbering
from bundler.models.weights import GgufSet, Tensors, read_ggufs, read_safetensors

_TOKENIZERS = (
    "tokenizer.json",
    "tokenizer.model",
    "tekken.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tiktoken.model",
    "qwen.tiktoken",
)
_DTYPES = {
    "BF16": "bfloat16",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}
_PACKED = ("U8", "I8", "I16", "U16", "I32", "U32", "F4", "I4", "U4")
_NOT_WEIGHTS = ("training_args.bin", "optimizer.", "scheduler.", "rng_state", "random_states")


def examine(files: ModelFiles, *, allow_pickle: Sequence[str] = (), where: str) -> ModelFacts:
    """The facts of a model, read in ranges; ``where`` is its place in bundle.yml, for messages.

    Raises: SpecError for a pickle that ``allow_pickle`` does not name, a damaged or missing file; whatever
    ``files`` raises when a file cannot be read.
    """
    pickles = check_pickles(files, allow_pickle, where)
    check_numbering(sorted(files.paths), where)
    tensors = read_safetensors(files, where)
    gguf = read_ggufs(files, where)
    pickled = [path for path in pickles if not posixpath.basename(path).startswith(_NOT_WEIGHTS)]
    if not tensors.paths and gguf and not pickled:
        return _of_gguf(files, gguf, where)
    if not tensors.paths and not pickled:
        raise SpecError(
            f"{where}: no weights: expected safetensors or GGUF files among the {len(files.paths)} of the model",
            hint="see that files.include of this model takes its weights",
        )
    facts = _of_configuration(files, where)
    _require_tokenizer(files, where)
    return _with_tensors(facts, tensors) if tensors.paths else _with_pickles(facts, files, pickled)


def _of_gguf(files: ModelFiles, found: GgufSet, where: str) -> ModelFacts:
    if TOKENIZER not in found.head.metadata:
        _require_tokenizer(files, where)
    return replace(from_gguf(found.head), weights_bytes=found.data_bytes, parameters=found.elements)


def _of_configuration(files: ModelFiles, where: str) -> ModelFacts:
    readers: tuple[tuple[str, Callable[[Mapping[str, Any]], ModelFacts]], ...] = (
        ("config.json", from_config),
        ("params.json", from_params),
    )
    for name, reader in readers:
        if name in files.paths:
            return reader(load(files, Place(where, name)))
    raise SpecError(
        f"{where}: no configuration: expected config.json or params.json beside the weights",
        hint="see that files.include of this model takes it",
    )


def _require_tokenizer(files: ModelFiles, where: str) -> None:
    has_pair = "vocab.json" in files.paths and "merges.txt" in files.paths
    named = any(name in files.paths for name in _TOKENIZERS)
    if not has_pair and not named and not any(path.startswith("tokenizer.model.v") for path in files.paths):
        raise SpecError(
            f"{where}: no tokenizer: expected tokenizer.json, tokenizer.model, tekken.json, or vocab.json with "
            "merges.txt",
            hint="see that files.include of this model takes it",
        )


def _with_tensors(facts: ModelFacts, tensors: Tensors) -> ModelFacts:
    most = max(tensors.dtype_bytes, key=lambda dtype: tensors.dtype_bytes[dtype], default="")
    packed = sum(tensors.dtype_bytes.get(dtype, 0) for dtype in _PACKED)
    counted = None if facts.quantization and packed else sum(tensors.elements.values())
    return replace(
        facts,
        dtype=facts.dtype or _DTYPES.get(most),
        weights_bytes=tensors.data_bytes,
        parameters=counted,
        format="mlx" if tensors.maker == "mlx" else "safetensors",
    )


def _with_pickles(facts: ModelFacts, files: ModelFiles, paths: Sequence[str]) -> ModelFacts:
    return replace(facts, weights_bytes=sum(files.paths[path] for path in paths), format="pickle")
