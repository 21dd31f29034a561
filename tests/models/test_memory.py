"""GPU memory, the GPUs that hold it, and the warnings, against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.models.facts import ModelFacts
from bundler.models.gpus import GPUS
from bundler.models.memory import OVERHEAD, gpu_need, gpus_that_fit, sentence, warnings

TIMES = "\N{MULTIPLICATION SIGN}"
SMALL = ModelFacts(
    context=131072,
    weights_bytes=47_150_000_000,
    kv_bytes_per_token=163_840,
    format="safetensors",
    attention_heads=32,
    kv_heads=8,
)
INSTRUCT = "mistralai/Mistral-Small-3.2-24B-Instruct-2506"


def test_weights_cache_and_overhead() -> None:
    need = gpu_need(SMALL, context=65536)
    assert need.kv_bytes == 65536 * 163_840
    assert need.total == 47_150_000_000 + 65536 * 163_840 + OVERHEAD
    assert gpu_need(SMALL, context=65536, sequences=3).kv_bytes == 3 * 65536 * 163_840


def test_sliding_layers_stop_at_their_window() -> None:
    facts = replace(SMALL, sliding_window=128, sliding_kv_bytes_per_token=100_000)
    assert gpu_need(facts, context=1_000).kv_bytes == 63_840 * 1_000 + 100_000 * 128
    assert gpu_need(facts, context=100).kv_bytes == 163_840 * 100


def test_the_sentence() -> None:
    need = gpu_need(SMALL, context=65536)
    assert sentence(need, gpus_that_fit(need)) == (
        "about 61 GB of GPU memory (weights 47.1 GB, 65,536 tokens of KV cache 10.7 GB): "
        f"1 {TIMES} 80 GB or 2 {TIMES} 40 GB or 4 {TIMES} 24 GB"
    )


def test_the_sentence_of_what_is_not_known_or_fits_nowhere() -> None:
    need = gpu_need(ModelFacts(weights_bytes=4 * 10**12), context=1000, sequences=2)
    assert need.kv_bytes is None
    assert sentence(need, gpus_that_fit(need)).endswith("KV cache not known): more than 8 GPUs of any usual size")
    assert "for each of 2 sequences" in sentence(gpu_need(SMALL, context=10, sequences=2), ())


def test_the_fewest_of_each_gpu() -> None:
    fits = {fit.gpu_name: fit.count for fit in gpus_that_fit(gpu_need(SMALL, context=65536))}
    assert fits["H100"] == fits["A100 80GB"] == fits["H200"] == fits["B200"] == 1
    assert fits["A100 40GB"] == fits["L40S"] == 2
    assert fits["L4"] == fits["RTX 4090"] == 4


def test_the_gpus_must_divide_the_heads() -> None:
    facts = replace(SMALL, attention_heads=14, kv_heads=2)
    counts = {fit.count for fit in gpus_that_fit(gpu_need(facts, context=65536))}
    assert counts == {1, 2}


def test_a_latent_cache_lies_on_every_gpu() -> None:
    shared = gpu_need(replace(SMALL, kv_heads=1), context=65536)
    divided = gpu_need(replace(SMALL, kv_heads=None), context=65536)
    assert shared.kv_bytes is not None
    assert shared.on_each(8) - divided.on_each(8) == pytest.approx(shared.kv_bytes * 7 / 8, abs=8)


def test_utilization_leaves_room() -> None:
    facts = ModelFacts(weights_bytes=76 * 10**9, kv_bytes_per_token=1)
    assert "H100" not in {fit.gpu_name for fit in gpus_that_fit(gpu_need(facts, context=1)) if fit.count == 1}
    fits = gpus_that_fit(gpu_need(facts, context=1, utilization=0.99))
    assert "H100" in {fit.gpu_name for fit in fits if fit.count == 1}


@given(st.integers(0, 10**12), st.integers(0, 10**7), st.integers(1, 2**20), st.sampled_from([None, 8, 12, 128]))
def test_what_fits_fits_and_one_size_smaller_does_not(
    weights: int, per_token: int, context: int, heads: int | None
) -> None:
    facts = ModelFacts(weights_bytes=weights, kv_bytes_per_token=per_token, attention_heads=heads)
    need = gpu_need(facts, context=context)
    fits = gpus_that_fit(need)
    assert len(fits) == len({fit.gpu_name for fit in fits}) <= len(GPUS)
    for fit in fits:
        assert need.on_each(fit.count) <= fit.gpu_bytes * 0.9
        assert fit.count == 1 or need.on_each(fit.count // 2) > fit.gpu_bytes * 0.9


@pytest.mark.parametrize("context", [64_000, 65_536, 131_072, None])
def test_no_warning_without_a_reason(context: int | None) -> None:
    assert warnings(SMALL, model_id=INSTRUCT, engine="vllm", context=context) == ()
    gguf = replace(SMALL, format="gguf")
    assert warnings(gguf, model_id=INSTRUCT, engine="lmstudio", context=context) == ()


def test_a_short_context_warns() -> None:
    (found,) = warnings(SMALL, model_id=INSTRUCT, engine="vllm", context=63_999)
    assert "a context of 63,999 tokens" in found and "Observability assistant needs 64,000" in found
    (own,) = warnings(replace(SMALL, context=32_768), model_id=INSTRUCT, engine="vllm", context=None)
    assert "a context of 32,768 tokens" in own


def test_a_context_over_the_models_own_warns() -> None:
    (found,) = warnings(SMALL, model_id=INSTRUCT, engine="vllm", context=131_073)
    assert "131,073" in found and "131,072" in found and "vLLM refuses to start" in found


def test_lm_studio_wants_an_instruct_model_in_gguf() -> None:
    gguf = replace(SMALL, format="gguf")
    (name,) = warnings(gguf, model_id="org/base-GGUF", engine="lmstudio", context=None)
    assert "no instruct in its name" in name
    (kind,) = warnings(SMALL, model_id=INSTRUCT, engine="lmstudio", context=None)
    assert "safetensors weights; LM Studio loads GGUF" in kind
    assert warnings(replace(SMALL, format="mlx"), model_id=INSTRUCT, engine="lmstudio", context=None) == ()


@pytest.mark.parametrize(("kind", "words"), [("gguf", "only experimentally"), ("mlx", "not at all")])
def test_vllm_wants_safetensors(kind: str, words: str) -> None:
    (found,) = warnings(replace(SMALL, format=kind), model_id=INSTRUCT, engine="vllm", context=None)
    assert words in found and "take safetensors" in found
