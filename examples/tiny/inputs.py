"""Makes what examples/tiny/bundle.yml names: a model of a few kilobytes, and two images without programs in them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

_OCI = "application/vnd.oci.image"
_CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
    "vocab_size": 256,
}


def make_inputs(folder: Path) -> None:
    """Write ``model``, ``vllm`` and ``nginx`` below ``folder``."""
    _model(folder / "model")
    _image(folder / "vllm", "docker.io/vllm/vllm-openai", "v0.10.2", {"opt/vllm/README": b"vLLM would be here.\n"})
    _image(folder / "nginx", "docker.io/library/nginx", "1.29-alpine", {"etc/nginx/README": b"So would Nginx.\n"})


def _model(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = {f"model.layers.{n}.mlp.weight": [64, 64] for n in range(2)} | {"lm_head.weight": [256, 64]}
    header: dict[str, Any] = {}
    at = 0
    for name, shape in names.items():
        size = 2 * shape[0] * shape[1]
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(at))
    (folder / "config.json").write_text(json.dumps(_CONFIG, indent=2) + "\n")
    (folder / "tokenizer.json").write_text('{"version": "1.0"}\n')
    (folder / "LICENSE").write_text("Nobody's: a file of zeros.\n")


def _image(folder: Path, name: str, tag: str, files: dict[str, bytes]) -> None:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    diff_id = f"sha256:{hashlib.sha256(tar.getvalue()).hexdigest()}"
    layer = _blob(folder, gzip.compress(tar.getvalue(), mtime=0), f"{_OCI}.layer.v1.tar+gzip")
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [diff_id]}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _blob(folder, json.dumps(config).encode(), f"{_OCI}.config.v1+json"),
        "layers": [layer],
    }
    entry = _blob(folder, json.dumps(manifest).encode(), f"{_OCI}.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": f"{name}:{tag}"}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _blob(folder: Path, data: bytes, media_type: str) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    path = folder / "blobs" / "sha256" / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}
