"""How many bytes of KV cache a token takes, from the shape of the attention. No I/O.

Rules: an element of the cache takes two bytes, for vLLM and llama.cpp keep it in 16 bits unless told otherwise, also
where the weights are quantised or in 32 bits. A layer keeps ``kv_heads * (key + value)`` elements of a token;
with latent attention (MLA, DeepSeek-V2, https://arxiv.org/abs/2405.04434, section 2.1) ``rank + rope`` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ELEMENT_BYTES = 2
LayerKind = Literal["full", "sliding", "none"]


@dataclass(frozen=True, slots=True)
class KvCache:
    """Bytes a token of all layers, and of the sliding ones among them; ``window`` is in tokens."""

    per_token: int
    sliding_per_token: int = 0
    window: int | None = None


def grouped(kv_heads: int, key_length: int, value_length: int) -> int:
    """Bytes that one layer of multi-head or grouped-query attention keeps of a token."""
    return kv_heads * (key_length + value_length) * ELEMENT_BYTES


def latent(rank: int, rope: int) -> int:
    """Bytes that one layer of latent attention keeps of a token."""
    return (rank + rope) * ELEMENT_BYTES


def cache(kinds: Sequence[LayerKind], layer_bytes: int, window: int | None) -> KvCache:
    """The cache of layers of these kinds, each keeping ``layer_bytes`` of a token."""
    sliding = kinds.count("sliding") * layer_bytes if window else 0
    total = (len(kinds) - kinds.count("none")) * layer_bytes
    return KvCache(total, sliding, window if sliding else None)
