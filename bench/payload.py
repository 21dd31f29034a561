"""What is bundled: an image of 1 GB in 6 layers and a model of 4 GB in 4 shards, of bytes that nothing can compress.

The layers are real gzip files of a tar (stored, not deflated), the shards real safetensors, so that every tool takes
them for what they seem to be.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.counterparts.images import descriptor
from tests.counterparts.weights import CONFIG

IMAGE_BYTES, LAYERS = 1_000_000_000, 6
MODEL_BYTES, SHARDS = 4_000_000_000, 4
MODEL = "bench/Random-Llama-Instruct"
IMAGE = "vllm/vllm-openai:v0.10.2"
_OCI = "application/vnd.oci.image"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Payload:
    """``layout`` is an OCI layout of the image, ``model`` the folder of the model's files."""

    layout: Path
    model: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file whose bytes are fetched by a build, but the image's manifest."""
        blobs = [path for path in (self.layout / "blobs/sha256").iterdir() if path.name != self.manifest[7:]]
        return (*sorted(blobs), *sorted(self.model.iterdir()))

    @property
    def bytes(self) -> int:
        """How many bytes they hold."""
        return sum(path.stat().st_size for path in self.files)

    @property
    def manifest(self) -> str:
        """The digest of the image's manifest."""
        digest: str = json.loads((self.layout / "index.json").read_text())["manifests"][0]["digest"]
        return digest


def make_payload(folder: Path, scale: float) -> Payload:
    """Write the payload, ``scale`` times its full size, below ``folder``."""
    payload = Payload(folder / "image", folder / "model")
    _make_model(payload.model, int(MODEL_BYTES * scale) // SHARDS)
    _make_image(payload.layout, int(IMAGE_BYTES * scale) // LAYERS)
    return payload


def _random(count: int) -> Iterator[bytes]:
    while count > 0:
        yield os.urandom(min(count, _PIECE))
        count -= _PIECE


def _make_model(folder: Path, shard_bytes: int) -> None:
    folder.mkdir(parents=True)
    elements = shard_bytes // 2
    names: dict[str, str] = {}
    for number in range(SHARDS):
        file = f"model-{number + 1:05}-of-{SHARDS:05}.safetensors"
        tensor = f"model.layers.{number}.mlp.up_proj.weight"
        names[tensor] = file
        header = {tensor: {"dtype": "F16", "shape": [elements], "data_offsets": [0, 2 * elements]}}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with (folder / file).open("wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            out.writelines(_random(2 * elements))
    index = {"metadata": {"total_size": 2 * elements * SHARDS}, "weight_map": names}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    (folder / "config.json").write_text(json.dumps({**CONFIG, "num_hidden_layers": SHARDS}, indent=2) + "\n")
    (folder / "tokenizer.json").write_text('{"version": "1.0"}\n')


def _make_image(folder: Path, layer_bytes: int) -> None:
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    layers, diff_ids = [], []
    for number in range(LAYERS):
        layer, diff_id = _make_layer(blobs, f"layer-{number}", layer_bytes)
        layers.append(layer)
        diff_ids.append(diff_id)
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    config = {"os": "linux", "architecture": "amd64", "rootfs": rootfs}
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _keep(blobs, config, f"{_OCI}.config.v1+json"),
        "layers": layers,
    }
    entry = _keep(blobs, manifest, f"{_OCI}.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": "bench"}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _make_layer(blobs: Path, name: str, count: int) -> tuple[dict[str, object], str]:
    """The descriptor of a new layer, and the digest of the tar in it."""
    entry = tarfile.TarInfo(f"opt/{name}")
    entry.size = count
    tar, packed, packer = hashlib.sha256(), hashlib.sha256(), zlib.compressobj(0, wbits=31)
    size = 0
    with (blobs / name).open("wb") as out:
        for piece in _tar(entry):
            tar.update(piece)
            data = packer.compress(piece)
            packed.update(data)
            size += out.write(data)
        tail = packer.flush()
        packed.update(tail)
        size += out.write(tail)
    (blobs / name).rename(blobs / packed.hexdigest())
    media_type, digest = f"{_OCI}.layer.v1.tar+gzip", f"sha256:{packed.hexdigest()}"
    return {"mediaType": media_type, "digest": digest, "size": size}, f"sha256:{tar.hexdigest()}"


def _tar(entry: tarfile.TarInfo) -> Iterator[bytes]:
    yield entry.tobuf(tarfile.USTAR_FORMAT)
    yield from _random(entry.size)
    yield bytes(-entry.size % 512 + 1024)


def _keep(blobs: Path, document: Mapping[str, object], media_type: str) -> dict[str, object]:
    data = json.dumps(document).encode()
    (blobs / hashlib.sha256(data).hexdigest()).write_bytes(data)
    return descriptor(data, media_type)
