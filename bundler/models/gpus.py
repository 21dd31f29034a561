"""The usual GPUs, as data.

Memory is the nominal size in 10^9 bytes: each of them reports at least that much, so that a model that fits
by this table fits. Source: the makers' data sheets.
"""

from __future__ import annotations

from dataclasses import dataclass

COUNTS = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Gpu:
    """A model of GPU and its memory in bytes."""

    name: str
    memory: int


GPUS = tuple(
    Gpu(name, gigabytes * 10**9)
    for name, gigabytes in (
        ("L4", 24),
        ("A10", 24),
        ("RTX 4090", 24),
        ("RTX 5090", 32),
        ("A100 40GB", 40),
        ("L40S", 48),
        ("RTX 6000 Ada", 48),
        ("A100 80GB", 80),
        ("H100", 80),
        ("RTX PRO 6000", 96),
        ("H200", 141),
        ("B200", 180),
    )
)
