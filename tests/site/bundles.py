"""A small bundle on disk with several members, for the tests of the secure site."""

from __future__ import annotations

from pathlib import Path

from bundler.pack.plan import Plan
from tests.pack.plans import built_in, ingredients_in, plan_of

MIB = 1 << 20
FILES = {
    "org/m/config.json": b"{}\n",
    "org/m/empty": b"",
    "org/m/model-00001.safetensors": bytes(range(256)) * 4096 * 2,
    "org/m/model-00002.safetensors": b"\x01\x02\x03" * 500_000,
    "org/m/tokenizer.json": b"[1, 2, 3]" * 1111,
}


def small_plan(folder: Path) -> Plan:
    """The plan of the small bundle; its files are written to ``folder``."""
    return plan_of(ingredients_in(folder / "sources", FILES))


def small_bundle(folder: Path) -> Path:
    """The small bundle in one file."""
    return built_in(folder, small_plan(folder)).bundle


def small_volumes(folder: Path) -> list[Path]:
    """The small bundle in four volumes of 1 MiB."""
    return list(built_in(folder, small_plan(folder), volume_size=MIB).volumes)
