"""config.json and params.json of models that people serve, with figures that were worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from bundler.models.config import from_config, from_params

MISTRAL_SMALL = {
    "architectures": ["Mistral3ForConditionalGeneration"],
    "torch_dtype": "bfloat16",
    "text_config": {
        "head_dim": 128,
        "hidden_size": 5120,
        "max_position_embeddings": 131072,
        "model_type": "mistral",
        "num_attention_heads": 32,
        "num_hidden_layers": 40,
        "num_key_value_heads": 8,
        "sliding_window": None,
    },
    "vision_config": {"num_hidden_layers": 24, "num_attention_heads": 16, "hidden_size": 1024},
}
LLAMA_8B = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "max_position_embeddings": 131072,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "rope_scaling": {"factor": 8.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"},
    "torch_dtype": "bfloat16",
}
DEEPSEEK_V3 = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "hidden_size": 7168,
    "kv_lora_rank": 512,
    "max_position_embeddings": 163840,
    "num_attention_heads": 128,
    "num_hidden_layers": 61,
    "num_key_value_heads": 128,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "quantization_config": {"quant_method": "fp8", "fmt": "e4m3"},
    "rope_scaling": {"factor": 40, "original_max_position_embeddings": 4096, "type": "yarn"},
    "v_head_dim": 128,
}
GPT_OSS_20B = {
    "architectures": ["GptOssForCausalLM"],
    "head_dim": 64,
    "hidden_size": 2880,
    "layer_types": ["sliding_attention", "full_attention"] * 12,
    "max_position_embeddings": 131072,
    "num_attention_heads": 64,
    "num_hidden_layers": 24,
    "num_key_value_heads": 8,
    "quantization_config": {"quant_method": "mxfp4"},
    "rope_scaling": {"factor": 32.0, "original_max_position_embeddings": 4096, "rope_type": "yarn"},
    "sliding_window": 128,
}


@pytest.mark.parametrize(
    ("config", "context", "per_token", "kv_heads"),
    [
        pytest.param(MISTRAL_SMALL, 131072, 163_840, 8, id="Mistral-Small-3.2-24B"),
        pytest.param(LLAMA_8B, 131072, 131_072, 8, id="Llama-3.1-8B"),
        pytest.param(DEEPSEEK_V3, 163840, 61 * (512 + 64) * 2, 1, id="DeepSeek-V3"),
        pytest.param(GPT_OSS_20B, 131072, 2 * 24 * 8 * 64 * 2, 8, id="gpt-oss-20b"),
    ],
)
def test_known_models(config: dict[str, Any], context: int, per_token: int, kv_heads: int) -> None:
    facts = from_config(config)
    assert facts.architecture == config["architectures"][0]
    assert (facts.context, facts.kv_bytes_per_token, facts.kv_heads) == (context, per_token, kv_heads)


def test_the_dtype_may_stand_beside_the_part_that_writes() -> None:
    assert from_config(MISTRAL_SMALL).dtype == "bfloat16"
    assert from_config({"torch_dtype": "torch.float16"}).dtype == "float16"
    assert from_config({"dtype": "bfloat16", "text_config": {"dtype": "float32"}}).dtype == "float32"


def test_half_of_gpt_oss_slides() -> None:
    facts = from_config(GPT_OSS_20B)
    assert facts.sliding_window == 128
    assert facts.sliding_kv_bytes_per_token == 2 * 12 * 8 * 64 * 2
    assert facts.quantization == "mxfp4"


@pytest.mark.parametrize(
    ("rope", "context"),
    [
        (None, 32768),
        ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}, 131072),
        ({"type": "yarn", "factor": 2}, 65536),
        ({"type": "linear", "factor": 2.0}, 65536),
        ({"type": "dynamic", "factor": 2.0}, 65536),
        ({"rope_type": "llama3", "factor": 8.0}, 32768),
        ({"type": "su", "factor": 8.0}, 32768),
        ({"rope_type": "longrope", "factor": 8.0}, 32768),
        ({"type": "mrope", "mrope_section": [16, 24, 24]}, 32768),
        ({"rope_type": "linear", "factor": -1}, 32768),
        ({"rope_type": "linear", "factor": 1e308}, 32768),
        ({"rope_type": "linear", "factor": None}, 32768),
        ("linear", 32768),
    ],
)
def test_the_context_follows_rope_scaling_as_vllm_does(rope: Any, context: int) -> None:
    assert from_config({"max_position_embeddings": 32768, "rope_scaling": rope}).context == context


def test_gemma3_is_scaled_already() -> None:
    config = {"model_type": "gemma3_text", "max_position_embeddings": 131072, "rope_scaling": {"factor": 8.0}}
    config["rope_scaling"] = {"rope_type": "linear", "factor": 8.0}
    assert from_config(config).context == 131072


def test_the_shortest_of_several_lengths_counts() -> None:
    assert from_config({"max_position_embeddings": 8192, "seq_length": 2048, "n_positions": True}).context == 2048
    assert from_config({"max_position_embeddings": 2048, "seq_length": 8192}).context == 2048
    assert from_config({}).context is None


def _kv(**changes: Any) -> tuple[int, int | None]:
    """Layers with a cache, and those of them that slide, of 12 layers that keep 4 bytes of a token each."""
    facts = from_config(
        {"num_hidden_layers": 12, "num_attention_heads": 1, "head_dim": 1, "sliding_window": 64} | changes
    )
    assert facts.kv_bytes_per_token is not None
    sliding = facts.sliding_kv_bytes_per_token
    return facts.kv_bytes_per_token // 4, sliding if sliding is None else sliding // 4


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sliding_window": None}, (12, None)),
        ({}, (12, 12)),
        ({"use_sliding_window": False}, (12, None)),
        ({"use_sliding_window": True, "max_window_layers": 9}, (12, 3)),
        ({"model_type": "gemma2"}, (12, 6)),
        ({"model_type": "gemma3_text"}, (12, 10)),
        ({"model_type": "gemma3_text", "num_hidden_layers": 14}, (14, 12)),
        ({"sliding_window_pattern": 4}, (12, 9)),
        ({"layer_types": ["chunked_attention"] * 9 + ["full_attention"] * 3}, (12, 9)),
        ({"layer_types": ["linear_attention"] * 9 + ["full_attention"] * 3}, (3, None)),
        ({"layer_types": ["full_attention"] * 5}, (12, 12)),
        ({"layers_block_type": ["mamba"] * 11 + ["attention"]}, (1, None)),
        ({"hybrid_override_pattern": "M-M*-M-M*-M-"}, (2, None)),
        ({"full_attention_interval": 4}, (3, None)),
        ({"attn_layer_period": 6, "attn_layer_offset": 5}, (2, None)),
        ({"attn_layer_indices": [1, 7]}, (2, None)),
        ({"full_attn_idxs": [2, 5, 10]}, (3, None)),
        ({"linear_attn_config": {"full_attn_layers": [4, 8, 12]}}, (3, None)),
        ({"num_kv_shared_layers": 4, "sliding_window": None}, (8, None)),
    ],
)
def test_only_layers_of_attention_keep_a_cache(changes: dict[str, Any], expected: tuple[int, int | None]) -> None:
    assert _kv(**changes) == expected


def test_heads_and_widths_by_other_names() -> None:
    falcon = {"num_hidden_layers": 32, "num_attention_heads": 71, "hidden_size": 4544, "multi_query": True}
    assert from_config(falcon).kv_bytes_per_token == 2 * 32 * 64 * 2
    assert from_config({"n_layer": 12, "n_head": 12, "n_embd": 768}).kv_bytes_per_token == 2 * 12 * 12 * 64 * 2
    uneven = {"num_hidden_layers": 1, "num_attention_heads": 4, "head_dim": 192, "v_head_dim": 128}
    assert from_config(uneven).kv_bytes_per_token == 4 * (192 + 128) * 2


def test_quantization() -> None:
    assert from_config({"quantization_config": {"quant_method": "awq", "bits": 4}}).quantization == "awq 4-bit"
    assert from_config({"quantization": {"group_size": 64, "bits": 4}}).quantization == "mlx 4-bit"
    bnb = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}
    assert from_config(bnb).quantization == "bitsandbytes 4-bit"
    assert from_config(LLAMA_8B).quantization is None


MISTRAL_PARAMS = {"dim": 5120, "n_layers": 40, "head_dim": 128, "hidden_dim": 32768, "n_heads": 32, "n_kv_heads": 8}


def test_mistral_params() -> None:
    facts = from_params(MISTRAL_PARAMS | {"vision_encoder": {"hidden_size": 1024}})
    assert facts.architecture == "PixtralForConditionalGeneration"
    assert (facts.kv_bytes_per_token, facts.attention_heads, facts.kv_heads) == (163_840, 32, 8)
    assert facts.context == 128_000, "what vLLM takes when the file does not say"
    assert from_params(MISTRAL_PARAMS | {"max_seq_len": 32768}).context == 32768
    yarn = {"yarn": {"original_max_position_embeddings": 8192, "factor": 16}}
    assert from_params(MISTRAL_PARAMS | yarn).context == 131072
    assert from_params(MISTRAL_PARAMS | {"moe": {"num_experts": 8}}).architecture == "MixtralForCausalLM"
    assert from_params(MISTRAL_PARAMS | {"quantization": {"qformat_weight": "fp8_e4m3"}}).quantization == "fp8_e4m3"


@pytest.mark.parametrize("absurd", [0, -1, 2**40, 1e30, True, "32", None, [], {}])
def test_an_absurd_number_counts_as_not_said(absurd: Any) -> None:
    facts = from_config(LLAMA_8B | {"num_hidden_layers": absurd, "max_position_embeddings": absurd})
    assert facts.kv_bytes_per_token is None
    assert facts.context is None
