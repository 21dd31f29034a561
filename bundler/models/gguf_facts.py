"""The facts that a GGUF file's metadata holds. No I/O.

Rules: the keys are those of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; heads may be given layer by
layer, 0 meaning a layer without attention. A window is not taken off the cache: which layers
have one is known to llama.cpp, not said in the file.
"""

from __future__ import annotations

from bundler.models.attention import grouped, latent
from bundler.models.facts import ModelFacts
from bundler.models.ggml import FILE_TYPES
from bundler.models.gguf import Gguf
from bundler.models.numbers import text, whole

TOKENIZER = "tokenizer.ggml.model"
PROJECTOR = "clip"
_PLAIN = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_MOST_LAYERS = 10_000


def from_gguf(head: Gguf) -> ModelFacts:
    """The facts of one file; the sizes of a set's other files are not among them."""
    architecture = text(head.metadata, "general.architecture")
    kind = _file_type(head)
    heads = _heads(head, f"{architecture}.attention.head_count")
    kv_heads = _heads(head, f"{architecture}.attention.head_count_kv") or heads
    is_latent = whole(head.metadata, f"{architecture}.attention.kv_lora_rank") is not None
    return ModelFacts(
        architecture=architecture,
        dtype=_PLAIN.get(kind or ""),
        context=whole(head.metadata, f"{architecture}.context_length"),
        kv_bytes_per_token=_cache(head, f"{architecture}", heads, kv_heads),
        quantization=None if kind in _PLAIN else kind,
        format="gguf",
        attention_heads=max(heads, default=None),
        kv_heads=1 if is_latent else max(kv_heads, default=None),
    )


def _heads(head: Gguf, key: str) -> list[int]:
    """Heads of each layer, or one number that holds for all; empty where nothing is said."""
    found = head.metadata.get(key)
    listed = list(found) if isinstance(found, tuple) else [found]
    heads = [one for one in listed if type(one) is int and 0 <= one <= _MOST_LAYERS]
    return heads if any(heads) else []


def _cache(head: Gguf, architecture: str, heads: list[int], kv_heads: list[int]) -> int | None:
    layers = whole(head.metadata, f"{architecture}.block_count")
    if layers is None or layers > _MOST_LAYERS or not heads:
        return None
    rank = whole(head.metadata, f"{architecture}.attention.kv_lora_rank")
    rope = whole(head.metadata, f"{architecture}.rope.dimension_count")
    if rank and rope:
        return layers * latent(rank, rope)
    width = whole(head.metadata, f"{architecture}.embedding_length")
    key = whole(head.metadata, f"{architecture}.attention.key_length") or (width // max(heads) if width else None)
    if not key:
        return None
    value = whole(head.metadata, f"{architecture}.attention.value_length") or key
    every_layer = kv_heads * layers if len(kv_heads) == 1 else kv_heads[:layers]
    return sum(grouped(count, key, value) for count in every_layer)


def _file_type(head: Gguf) -> str | None:
    said = head.metadata.get("general.file_type")
    named = FILE_TYPES.get(said) if type(said) is int else None
    return named or max(head.type_bytes, key=lambda name: head.type_bytes[name], default=None)
