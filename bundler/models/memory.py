"""How much GPU memory a model takes, on how many GPUs of which size that fits, and what to warn of. No I/O.

Rules: weights are loaded as they lie on disk; the KV cache holds every sequence at its full context. On top come 2 GiB
a GPU for the driver, activations and CUDA graphs: an assumption, measured by vLLM at each start and seldom more for
the models that one node serves. vLLM may use 0.9 of a GPU (its default ``--gpu-memory-utilization``). Tensor
parallelism divides the weights by the GPUs, the cache by the GPUs but never by more than there are KV heads, for
those are copied then (latent attention has one), and the number of GPUs must divide the attention heads
(https://docs.vllm.ai/en/latest/serving/parallelism_scaling.html).
"""

from __future__ import annotations

from dataclasses import dataclass

from bundler.models.facts import ModelFacts
from bundler.models.gpus import COUNTS, GPUS

OVERHEAD = 2 << 30
ELASTIC_CONTEXT = 64_000
_GB = 10**9
_TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class GpuNeed:
    """Bytes that serving takes; ``kv_bytes`` is None where the model does not say what a token takes."""

    weights_bytes: int
    kv_bytes: int | None
    context: int
    sequences: int = 1
    utilization: float = 0.9
    overhead_bytes: int = OVERHEAD
    attention_heads: int | None = None
    kv_heads: int | None = None

    @property
    def total(self) -> int:
        """Weights, cache and overhead together, on one GPU."""
        return self.on_each(1)

    def on_each(self, gpus: int) -> int:
        """Bytes on each of ``gpus`` GPUs that share the model by tensor parallelism."""
        cache = -(-(self.kv_bytes or 0) // min(gpus, self.kv_heads or gpus))
        return -(-self.weights_bytes // gpus) + cache + self.overhead_bytes


@dataclass(frozen=True, slots=True)
class Fit:
    """The fewest GPUs of a model that hold the need; ``gpu_bytes`` is the memory of one."""

    gpu_name: str
    gpu_bytes: int
    count: int


def gpu_need(facts: ModelFacts, *, context: int, sequences: int = 1, utilization: float = 0.9) -> GpuNeed:
    """What ``sequences`` conversations of ``context`` tokens take; ``utilization`` is vLLM's share of a GPU."""
    return GpuNeed(
        weights_bytes=facts.weights_bytes,
        kv_bytes=_kv_bytes(facts, context, sequences),
        context=context,
        sequences=sequences,
        utilization=utilization,
        attention_heads=facts.attention_heads,
        kv_heads=facts.kv_heads,
    )


def gpus_that_fit(need: GpuNeed) -> tuple[Fit, ...]:
    """For each usual GPU the fewest of it (1, 2, 4 or 8) that hold ``need``; those that never do are left out."""
    counts = [count for count in COUNTS if (need.attention_heads or count) % count == 0]
    found = []
    for gpu in GPUS:
        fitting = (count for count in counts if need.on_each(count) <= gpu.memory * need.utilization)
        if count := next(fitting, None):
            found.append(Fit(gpu.name, gpu.memory, count))
    return tuple(found)


def sentence(need: GpuNeed, fits: tuple[Fit, ...]) -> str:
    """The need for people: bytes in all, weights, cache, and the fewest GPUs of the smallest sizes that hold it."""
    times = f" for each of {need.sequences:,} sequences" if need.sequences > 1 else ""
    cache = (
        f"{need.context:,} tokens of KV cache{times} {need.kv_bytes / _GB:.1f} GB"
        if need.kv_bytes is not None
        else "KV cache not known"
    )
    total = -(-need.total // _GB)
    smallest: dict[int, int] = {}
    for fit in fits:
        smallest[fit.count] = min(smallest.get(fit.count, fit.gpu_bytes), fit.gpu_bytes)
    ways = [f"{count} {_TIMES} {size // _GB} GB" for count, size in sorted(smallest.items())]
    where = " or ".join(ways) if ways else f"more than {COUNTS[-1]} GPUs of any usual size"
    return f"about {total:,} GB of GPU memory (weights {need.weights_bytes / _GB:.1f} GB, {cache}): {where}"


def warnings(facts: ModelFacts, *, model_id: str, engine: str, context: int | None) -> tuple[str, ...]:
    """What a user should know before the model is served, a sentence each; ``context`` None is the model's own."""
    said = context or facts.context
    found = []
    if said is not None and said < ELASTIC_CONTEXT:
        found.append(
            f"{model_id}: a context of {said:,} tokens; Elastic's Observability assistant needs {ELASTIC_CONTEXT:,}"
        )
    if context is not None and facts.context is not None and context > facts.context:
        found.append(
            f"{model_id}: a context of {context:,} tokens is over the {facts.context:,} of the model itself; "
            "vLLM refuses to start so"
        )
    return (*found, *_engine_warnings(facts, model_id, engine))


def _engine_warnings(facts: ModelFacts, model_id: str, engine: str) -> list[str]:
    found = []
    if engine == "lmstudio" and "instruct" not in model_id.lower():
        found.append(f"{model_id}: no instruct in its name; a model for LM Studio should be an instruct model")
    if engine == "lmstudio" and facts.format not in ("gguf", "mlx", None):
        found.append(f"{model_id}: {facts.format} weights; LM Studio loads GGUF, and on a Mac MLX")
    if engine == "vllm" and facts.format in ("gguf", "mlx"):
        how = "only experimentally and from one file" if facts.format == "gguf" else "not at all"
        found.append(f"{model_id}: {facts.format.upper()} weights only; vLLM loads them {how}: take safetensors")
    return found


def _kv_bytes(facts: ModelFacts, context: int, sequences: int) -> int | None:
    if facts.kv_bytes_per_token is None:
        return None
    beyond = max(context - (facts.sliding_window or context), 0)
    return sequences * (facts.kv_bytes_per_token * context - (facts.sliding_kv_bytes_per_token or 0) * beyond)
