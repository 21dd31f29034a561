"""Container images made in Python, and put into a registry or an OCI layout. The same input, the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urljoin

import requests
import zstandard

from tests.counterparts.registry import RegistryServer

Packing = Literal["gzip", "zstd", "none"]

_PROGRAMS = (b"\x7fELF", b"#!")
_OCI = "application/vnd.oci.image"
_DOCKER = "application/vnd.docker"
_OCI_LAYER = {"gzip": ".tar+gzip", "zstd": ".tar+zstd", "none": ".tar"}
_DOCKER_LAYER = {"gzip": ".diff.tar.gzip", "zstd": ".diff.tar.zstd", "none": ".diff.tar"}


@dataclass(frozen=True, slots=True)
class Layer:
    """A packed tar; ``diff_id`` is the digest of the tar before packing."""

    data: bytes
    packing: Packing
    diff_id: str


@dataclass(frozen=True, slots=True)
class Image:
    """One manifest with its blobs by digest. ``platform`` as in ``linux/arm64/v8``."""

    manifest: bytes
    media_type: str
    blobs: Mapping[str, bytes]
    platform: str

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """An index and the images that it names."""

    manifest: bytes
    media_type: str
    images: tuple[Image, ...]

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)


Pushable: TypeAlias = "Image | ImageIndex"


def digest_of(data: bytes) -> str:
    """The written digest of ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def make_layer(files: Mapping[str, bytes], *, packing: Packing = "gzip") -> Layer:
    """A layer of ``files``, path → content."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755 if content.startswith(_PROGRAMS) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    data = plain.getvalue()
    packed = {
        "gzip": lambda: gzip.compress(data, 1, mtime=0),
        "zstd": lambda: bytes(zstandard.ZstdCompressor().compress(data)),
        "none": lambda: data,
    }[packing]()
    return Layer(packed, packing, digest_of(data))


def make_image(
    layers: Sequence[Layer | Mapping[str, bytes]],
    *,
    platform: str = "linux/amd64",
    docker: bool = False,
    says: Mapping[str, Any] | None = None,
) -> Image:
    """An image of ``layers``; with ``docker`` its manifest is Docker's v2 schema 2. ``says``: Entrypoint, User…"""
    made = [one if isinstance(one, Layer) else make_layer(one) for one in layers]
    os, architecture, *variant = platform.split("/")
    config = _json(
        {
            "os": os,
            "architecture": architecture,
            **({"variant": variant[0]} if variant else {}),
            "config": says or {"Cmd": ["/bin/true"]},
            "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one in made]},
        }
    )
    media_type = f"{_DOCKER}.distribution.manifest.v2+json" if docker else f"{_OCI}.manifest.v1+json"
    config_type = f"{_DOCKER}.container.image.v1+json" if docker else f"{_OCI}.config.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": descriptor(config, config_type),
        "layers": [descriptor(one.data, _layer_type(one.packing, docker)) for one in made],
    }
    blobs = {digest_of(data): data for data in (config, *(one.data for one in made))}
    return Image(_json(manifest, indent=3), media_type, blobs, platform)


def make_index(*images: Image, docker: bool = False, attestation: bool = False) -> ImageIndex:
    """An index of ``images``; ``attestation`` adds the entry that buildx adds for each image."""
    entries = []
    held = list(images)
    for image in images:
        os, architecture, *variant = image.platform.split("/")
        platform = {"os": os, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
        entries.append({**descriptor(image.manifest, image.media_type), "platform": platform})
    for image in images if attestation else ():
        proof = _attestation(image)
        held.append(proof)
        entries.append(
            {
                **descriptor(proof.manifest, proof.media_type),
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {
                    "vnd.docker.reference.type": "attestation-manifest",
                    "vnd.docker.reference.digest": image.digest,
                },
            }
        )
    media_type = f"{_DOCKER}.distribution.manifest.list.v2+json" if docker else f"{_OCI}.index.v1+json"
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    return ImageIndex(_json(document, indent=3), media_type, tuple(held))


def push(registry: RegistryServer, name: str, what: Pushable) -> str:
    """Push to ``repository:tag`` and return the digest of the manifest or index."""
    repository, _, tag = name.rpartition(":")
    with registry.session(repository) as session:
        base = f"{registry.url}/v2/{repository}"
        images = what.images if isinstance(what, ImageIndex) else (what,)
        for image in images:
            for digest, data in image.blobs.items():
                upload = session.post(f"{base}/blobs/uploads/", timeout=30)
                upload.raise_for_status()
                place = urljoin(upload.url, upload.headers["Location"])
                session.put(place, params={"digest": digest}, data=data, timeout=60).raise_for_status()
            _put(session, f"{base}/manifests/{image.digest}", image)
        _put(session, f"{base}/manifests/{tag}", what)
    return what.digest


def write_layout(folder: Path, images: Mapping[str, Pushable]) -> Path:
    """An OCI layout with ``images`` under their tags; returns ``folder``."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    entries = []
    for tag, what in images.items():
        for image in what.images if isinstance(what, ImageIndex) else (what,):
            for data in (image.manifest, *image.blobs.values()):
                (blobs / digest_of(data).partition(":")[2]).write_bytes(data)
        (blobs / what.digest.partition(":")[2]).write_bytes(what.manifest)
        note = {"annotations": {"org.opencontainers.image.ref.name": tag}}
        entries.append({**descriptor(what.manifest, what.media_type), **note})
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    index = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": entries}
    (folder / "index.json").write_bytes(_json(index))
    return folder


def descriptor(data: bytes, media_type: str) -> dict[str, Any]:
    """An OCI descriptor of ``data``."""
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _layer_type(packing: Packing, docker: bool) -> str:
    if docker:
        return f"{_DOCKER}.image.rootfs{_DOCKER_LAYER[packing]}"
    return f"{_OCI}.layer.v1{_OCI_LAYER[packing]}"


def _attestation(image: Image) -> Image:
    config = _json({"os": "unknown", "architecture": "unknown", "rootfs": {"type": "layers", "diff_ids": []}})
    statement = _json({"_type": "https://in-toto.io/Statement/v0.1", "subject": [{"name": image.digest}]})
    document = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": descriptor(config, f"{_OCI}.config.v1+json"),
        "layers": [descriptor(statement, "application/vnd.in-toto+json")],
    }
    blobs = {digest_of(data): data for data in (config, statement)}
    return Image(_json(document), f"{_OCI}.manifest.v1+json", blobs, "unknown/unknown")


def _put(session: requests.Session, address: str, what: Pushable) -> None:
    headers = {"Content-Type": what.media_type}
    session.put(address, data=what.manifest, headers=headers, timeout=30).raise_for_status()


def _json(document: object, indent: int | None = None) -> bytes:
    return json.dumps(document, indent=indent).encode()
