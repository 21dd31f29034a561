"""What ``config.json`` (transformers) and ``params.json`` (Mistral's own) say of a model. No I/O.

Rules: a multimodal model is described by the part that writes text; the context is the one that vLLM holds a
request to (``_get_and_verify_max_len``, https://github.com/vllm-project/vllm), which refuses to start when
asked for more; without any word on it Mistral's format means 128,000 there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bundler.models.attention import KvCache, cache, grouped, latent
from bundler.models.facts import ModelFacts
from bundler.models.layers import layer_kinds, window
from bundler.models.numbers import factor, mapping, text, whole

MISTRAL_CONTEXT = 128_000
_TEXT_PARTS = ("thinker_config", "text_config", "llm_config", "language_config")
_LENGTHS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "model_max_length",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)
_SCALED_ALREADY = ("su", "longrope", "llama3", "mrope", "default", "proportional")


def from_config(config: Mapping[str, Any]) -> ModelFacts:
    """The facts that a ``config.json`` holds; bytes and parameters of the weights are not among them."""
    part = _text_part(config)
    named = config.get("architectures")
    architecture = text({"name": named[0]}, "name") if isinstance(named, list) and named else None
    return _facts(
        part,
        architecture=architecture or text(config, "model_type"),
        dtype=text(part, "dtype", "torch_dtype") or text(config, "dtype", "torch_dtype"),
        context=_context(part),
        quantization=_quantization(config) or _quantization(part),
    )


def from_params(params: Mapping[str, Any]) -> ModelFacts:
    """The facts that a ``params.json`` holds."""
    quantization = mapping(params, "quantization")
    yarn = mapping(params, "yarn")
    context = whole(params, "max_position_embeddings", "max_seq_len")
    original = whole(yarn, "original_max_position_embeddings")
    if context is None and original:
        context = int(original * factor(yarn, "factor"))
    return _facts(
        params,
        architecture=_mistral_architecture(params),
        dtype=text(params, "dtype", "torch_dtype"),
        context=context or MISTRAL_CONTEXT,
        quantization=text(quantization, "qformat_weight", "quant_method"),
    )


def _facts(
    config: Mapping[str, Any],
    *,
    architecture: str | None,
    dtype: str | None,
    context: int | None,
    quantization: str | None,
) -> ModelFacts:
    heads = whole(config, "num_attention_heads", "n_heads", "n_head")
    kept = _cache(config, heads)
    return ModelFacts(
        architecture=architecture,
        dtype=dtype.removeprefix("torch.") if dtype else None,
        context=context,
        kv_bytes_per_token=kept.per_token if kept else None,
        quantization=quantization,
        attention_heads=heads,
        kv_heads=1 if _rank(config) else _kv_heads(config, heads),
        sliding_window=kept.window if kept else None,
        sliding_kv_bytes_per_token=kept.sliding_per_token if kept and kept.window else None,
    )


def _text_part(config: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(3):
        inner = mapping(config, *_TEXT_PARTS)
        if not inner:
            break
        config = inner
    return config


def _context(config: Mapping[str, Any]) -> int | None:
    said = [length for key in _LENGTHS if (length := whole(config, key))]
    if not said:
        return None
    context = min(said)
    rope = mapping(config, "rope_scaling", "rope_parameters")
    kind = text(rope, "rope_type", "type")
    if kind is None or kind in _SCALED_ALREADY or "gemma3" in (text(config, "model_type") or ""):
        return context
    if kind == "yarn":
        context = whole(rope, "original_max_position_embeddings") or context
    return int(context * factor(rope, "factor"))


def _rank(config: Mapping[str, Any]) -> int | None:
    """The rank of latent attention; None for a model without."""
    return whole(config, "kv_lora_rank") if whole(config, "qk_rope_head_dim") else None


def _kv_heads(config: Mapping[str, Any], heads: int | None) -> int | None:
    if config.get("multi_query") is True and not config.get("new_decoder_architecture"):
        return 1
    return whole(config, "num_key_value_heads", "n_kv_heads", "num_kv_heads", "multi_query_group_num") or heads


def _cache(config: Mapping[str, Any], heads: int | None) -> KvCache | None:
    kinds = layer_kinds(config)
    rank, rope = _rank(config), whole(config, "qk_rope_head_dim")
    if kinds and rank and rope:
        return cache(kinds, latent(rank, rope), window(config))
    width = whole(config, "hidden_size", "dim", "n_embd", "d_model")
    head = whole(config, "head_dim") or (width // heads if width and heads else None)
    kv_heads = _kv_heads(config, heads)
    if not kinds or not head or not kv_heads:
        return None
    return cache(kinds, grouped(kv_heads, head, whole(config, "v_head_dim") or head), window(config))


def _quantization(config: Mapping[str, Any]) -> str | None:
    found = mapping(config, "quantization_config", "compression_config")
    method, bits = text(found, "quant_method", "quant_algo"), whole(found, "bits", "w_bit")
    if found.get("load_in_4bit") is True:
        bits = 4
    if not found and (bits := whole(mapping(config, "quantization"), "bits")):
        method = "mlx"
    return f"{method} {bits}-bit" if method and bits else method


def _mistral_architecture(params: Mapping[str, Any]) -> str:
    """The names under which vLLM runs Mistral's own format."""
    if mapping(params, "vision_encoder") or mapping(mapping(params, "multimodal"), "vision_encoder"):
        return "PixtralForConditionalGeneration"
    return "MixtralForCausalLM" if mapping(params, "moe") else "MistralForCausalLM"
