"""The payload is what it seems to be: skopeo reads the image, our own readers the model."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from safetensors import safe_open

from bench.payload import IMAGE_BYTES, MODEL_BYTES, Payload, make_payload
from tests.counterparts.need import need


@pytest.fixture
def payload(tmp_path: Path) -> Payload:
    return make_payload(tmp_path, 0.001)


def test_it_has_the_size_and_the_parts_that_it_promises(payload: Payload) -> None:
    assert payload.bytes == pytest.approx((IMAGE_BYTES + MODEL_BYTES) * 0.001, rel=0.01)
    large = [path for path in payload.files if path.stat().st_size > 100_000]
    assert len(large) == 6 + 4


def test_skopeo_copies_the_image_and_finds_every_layer(payload: Payload, tmp_path: Path) -> None:
    skopeo = need("skopeo", "skopeo")
    source, target = f"oci:{payload.layout}:bench", f"dir:{tmp_path / 'copy'}"
    subprocess.run([skopeo, "--insecure-policy", "copy", "--quiet", source, target], check=True)
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    layer = (tmp_path / "copy" / manifest["layers"][0]["digest"][7:]).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
        assert archive.getnames() == ["opt/layer-0"]


def test_safetensors_reads_every_shard_of_the_index(payload: Payload) -> None:
    index = json.loads((payload.model / "model.safetensors.index.json").read_text())
    for tensor, name in index["weight_map"].items():
        with safe_open(payload.model / name, framework="numpy") as shard:
            assert list(shard.keys()) == [tensor]
