"""What the doctor reads from a bundle, and that it believes none of it unchecked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.layout.manifest import ImageEntry, Manifest, ModelEntry
from bundler.layout.member import ordered
from bundler.pack.plan import Ingredient, Plan, inline, make_plan
from bundler.serving.plan import ServePlan
from bundler.site.doctor.gather import Choices, wish_of
from tests.pack.plans import built_in
from tests.site.test_verify import flip

GB = 10**9
CONFIG = json.dumps({"config": {"Env": ["CUDA_VERSION=12.8.1"]}}).encode()
IMAGE = json.dumps({"config": {"digest": str(Digest.of(CONFIG))}}).encode()
FACTS = {"weights_bytes": 47 * GB, "kv_bytes_per_token": 163_840, "context": 131_072, "architecture": "x"}


def plan_with(serve: bytes | None, facts: dict[str, object] | None = None) -> Plan:
    """A bundle with an engine's image, a model, and a serve.json."""
    parts = [
        inline("README.md", b"x", "readme"),
        inline(f"images/blobs/sha256/{Digest.of(IMAGE).hex}", IMAGE, "image"),
        inline(f"images/blobs/sha256/{Digest.of(CONFIG).hex}", CONFIG, "image"),
        *([inline("config/serve.json", serve, "config")] if serve is not None else []),
    ]
    by_path: dict[str, Ingredient] = {item.member.path: item for item in parts}
    members = ordered(item.member for item in parts)
    image = ImageEntry("engine", "vllm", "linux/amd64", Digest.of(IMAGE), Digest.of(IMAGE), 1)
    model = ModelEntry("org/m", None, None, 1, facts if facts is not None else FACTS)
    manifest = Manifest("demo", "1.0", "linux/amd64", 1, "0", members, (image,), (model,))
    return make_plan(manifest, tuple(by_path[member.path] for member in members))


SERVE = ServePlan("vllm", Digest.of(IMAGE), "models/org/m", "org/m", context=65536, gpus=2)


def test_all_of_it(tmp_path: Path) -> None:
    bundle = built_in(tmp_path, plan_with(SERVE.encode())).bundle
    wish = wish_of(bundle, Choices(tmp_path, "llm.example", ports=(80, 443)))
    assert wish.image_config == {"config": {"Env": ["CUDA_VERSION=12.8.1"]}}
    assert (wish.gpus, wish.ports, wish.server_name) == (2, (80, 443), "llm.example")
    # 47 GB of weights and 10.7 GB of cache, 2 GiB on each GPU beside them, of which vLLM takes nine tenths.
    assert wish.gpu_bytes == pytest.approx((47 * GB + 65536 * 163_840 + 2 * 2 * 1024**3) / 0.9, rel=0.01)


def test_replicas_need_gpus_of_their_own(tmp_path: Path) -> None:
    one, three = (
        wish_of(built_in(tmp_path / str(count), plan_with(replace(SERVE, replicas=count).encode())).bundle,
                Choices(tmp_path))
        for count in (1, 3)
    )  # fmt: skip
    assert (one.gpus, three.gpus) == (2, 6)
    assert three.gpu_bytes == pytest.approx(3 * one.gpu_bytes)


def test_without_a_bundle(tmp_path: Path) -> None:
    assert wish_of(None, Choices(tmp_path)).manifest is None


def test_a_bundle_that_serves_nothing_itself(tmp_path: Path) -> None:
    assert wish_of(built_in(tmp_path, plan_with(None)).bundle, Choices(tmp_path)).gpu_bytes == 0


@pytest.mark.parametrize(
    "facts", [{}, {"weights_bytes": "many"}, {"weights_bytes": -1}, {"weights_bytes": 1 << 70}, {"weights_bytes": True}]
)
def test_facts_that_say_nothing(tmp_path: Path, facts: dict[str, object]) -> None:
    serve = replace(SERVE, context=None)
    assert wish_of(built_in(tmp_path, plan_with(serve.encode(), facts)).bundle, Choices(tmp_path)).gpu_bytes == 0


def test_a_serve_json_that_is_none(tmp_path: Path) -> None:
    bundle = built_in(tmp_path, plan_with(b"[]")).bundle
    with pytest.raises(IntegrityError, match=r"config/serve\.json"):
        wish_of(bundle, Choices(tmp_path))


def test_a_damaged_member_is_not_read(tmp_path: Path) -> None:
    plan = plan_with(SERVE.encode())
    bundle = built_in(tmp_path, plan).bundle
    slot = next(slot for slot in plan.arrangement.slots if slot.member.path == "config/serve.json")
    flip(bundle, slot.data + 3)
    with pytest.raises(IntegrityError, match=r"config/serve\.json: expected sha256"):
        wish_of(bundle, Choices(tmp_path))
