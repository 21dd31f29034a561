"""What a model's files say of themselves, as a frozen value. No I/O; the lock holds it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the weights say of themselves; None where they do not say. Bytes are bytes, context is tokens.

    ``kv_bytes_per_token`` is that of all layers together. ``sliding_kv_bytes_per_token`` is the part of it
    that belongs to layers which look back no further than ``sliding_window`` tokens, and so stops growing
    there. ``format`` is safetensors, mlx, gguf or pickle.
    """

    architecture: str | None = None
    dtype: str | None = None
    context: int | None = None
    weights_bytes: int = 0
    parameters: int | None = None
    kv_bytes_per_token: int | None = None
    quantization: str | None = None
    format: str | None = None
    attention_heads: int | None = None
    kv_heads: int | None = None
    sliding_window: int | None = None
    sliding_kv_bytes_per_token: int | None = None
