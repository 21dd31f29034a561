"""What lock warns of."""

from __future__ import annotations

from typing import Any

import pytest

from bundler.digest import Digest
from bundler.lock.model import Lock, LockedModel, LockedTool
from bundler.lock.resolve import lock_warnings
from bundler.models.facts import ModelFacts

# Mistral Small 3.2: 47 GB of weights, 163,840 bytes of cache a token.
LARGE = ModelFacts("Mistral", "bfloat16", 131072, 47_200_000_000, None, 163_840, attention_heads=32, kv_heads=8)


def lock_of(facts: ModelFacts, **serve: Any) -> Lock:
    request = {"serve": {"engine": "vllm", "model": "org/m-instruct", "context": 65536, "gpus": 1, **serve}}
    model = LockedModel("org/m-instruct", "folder", None, None, (), facts)
    return Lock("0", 0, request, (), (model,), (), (), LockedTool(0, Digest.of(b""), {}))


@pytest.mark.parametrize(
    ("serve", "words"),
    [
        ({}, ""),
        ({"context": 32000}, "64,000"),
        ({"context": 200_000}, "131,072"),
    ],
)
def test_context(serve: dict[str, Any], words: str) -> None:
    assert words in " ".join(lock_warnings(lock_of(LARGE, **serve)))


def test_too_few_gpus() -> None:
    huge = ModelFacts("X", "bfloat16", 131072, 400_000_000_000, None, 163_840, attention_heads=32, kv_heads=8)
    assert any(
        "serve.gpus is 2, which no usual GPU is large enough for" in w for w in lock_warnings(lock_of(huge, gpus=2))
    )
    assert not lock_warnings(lock_of(huge, gpus=8))
    assert not lock_warnings(lock_of(LARGE))
