"""Which layers of a model keep a KV cache that grows, one that stops at a window, or none. No I/O.

Rules: what the configuration says layer by layer wins; then the patterns that single families use; a model
that says nothing has full attention everywhere, which is the most memory that it can need. Sources: the
configuration classes of https://github.com/huggingface/transformers, named beside each rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bundler.models.attention import LayerKind
from bundler.models.numbers import entries, mapping, text, whole

_MOST_LAYERS = 10_000
_KINDS: dict[str, LayerKind] = {
    "full_attention": "full",
    "attention": "full",
    "hybrid": "full",
    "sliding_attention": "sliding",
    "chunked_attention": "sliding",
}
_PATTERNS = {"gemma2": 2, "gemma3_text": 6, "cohere2": 4}


def layer_kinds(config: Mapping[str, Any]) -> list[LayerKind]:
    """The kind of each layer, in order; empty where the configuration does not say how many there are."""
    layers = whole(config, "num_hidden_layers", "n_layers", "n_layer", "num_layers")
    if layers is None or layers > _MOST_LAYERS:
        return []
    kinds = _listed(config, layers) or _mixed(config, layers) or _windowed(config, layers)
    shared = whole(config, "num_kv_shared_layers") or 0  # Gemma3n: the last layers use the cache of others
    return kinds[: max(layers - shared, 1)]


def window(config: Mapping[str, Any]) -> int | None:
    """How far back the sliding layers look, in tokens."""
    return whole(config, "sliding_window", "attention_chunk_size")


def _listed(config: Mapping[str, Any], layers: int) -> list[LayerKind]:
    """``layer_types`` (transformers 4.54 and newer), ``layers_block_type`` (Bamba, Zamba2), Nemotron-H's pattern."""
    pattern = config.get("hybrid_override_pattern")
    if isinstance(pattern, str) and len(pattern) == layers:
        return ["full" if sign == "*" else "none" for sign in pattern]
    types = entries(config, "layer_types", "layers_block_type")
    return (
        [_KINDS.get(kind, "none") if isinstance(kind, str) else "none" for kind in types]
        if len(types) == layers
        else []
    )


def _mixed(config: Mapping[str, Any], layers: int) -> list[LayerKind]:
    """Few layers of attention among layers of state: Jamba, Qwen3-Next, Bamba, LFM2, Kimi-Linear."""
    if period := whole(config, "attn_layer_period"):
        offset = whole(config, "attn_layer_offset") or 0
        return ["full" if layer % period == offset else "none" for layer in range(layers)]
    if interval := whole(config, "full_attention_interval"):
        return ["full" if layer % interval == interval - 1 else "none" for layer in range(layers)]
    chosen = {one for one in entries(config, "attn_layer_indices", "full_attn_idxs") if type(one) is int}
    counted_from_1 = entries(mapping(config, "linear_attn_config"), "full_attn_layers")
    chosen |= {one - 1 for one in counted_from_1 if type(one) is int}
    return ["full" if layer in chosen else "none" for layer in range(layers)] if chosen else []


def _windowed(config: Mapping[str, Any], layers: int) -> list[LayerKind]:
    """Every n-th layer full (Gemma 2 and 3, Cohere2), the first n full (Qwen2), or a window everywhere (Mistral 7B)."""
    if window(config) is None or config.get("use_sliding_window") is False:
        return ["full"] * layers
    if config.get("use_sliding_window") is True:
        full = whole(config, "max_window_layers") or 0
        return ["full" if layer < full else "sliding" for layer in range(layers)]
    family = _PATTERNS.get(text(config, "model_type") or "")
    every = whole(config, "sliding_window_pattern", "_sliding_window_pattern") or family
    if every is None:
        return ["sliding"] * layers
    return ["full" if layer % every == every - 1 else "sliding" for layer in range(layers)]
