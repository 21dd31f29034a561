"""An image as one tar stream that every engine reads, made while it is read: nothing is written to disk.

It is what ``docker save`` of Docker 25 writes: ``manifest.json`` for engines that know only that (Docker 20.10 to 24),
``index.json`` and ``oci-layout`` for those with containerd's store, and each blob once.
Formats: https://github.com/moby/docker-image-spec/blob/main/v1.2.md ("Combined Image JSON"), OCI image-layout.md.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bundler.disk import disk_error
from bundler.errors import IntegrityError
from bundler.progress import Progress
from bundler.site.engines.stored import Blob, StoredImage

_CHUNK: Final = 1 << 20
_BLOCK: Final = 512
_END: Final = bytes(2 * _BLOCK)
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def length(image: StoredImage) -> int:
    """Bytes of the stream."""
    small = sum(_BLOCK + _padded(len(data)) for data in _documents(image).values())
    return small + sum(len(_header(_path(blob), blob.size)) + _padded(blob.size) for blob in _blobs(image)) + len(_END)


def stream(image: StoredImage, progress: Progress) -> Iterator[bytes]:
    """The stream, in pieces of at most 1 MiB. Raises: IntegrityError, MachineError while it is read."""
    for path, data in _documents(image).items():
        yield _header(path, len(data)) + data + bytes(_padded(len(data)) - len(data))
    for blob in _blobs(image):
        yield _header(_path(blob), blob.size)
        for piece in _read(image.path(blob), blob.size):
            progress.advance(len(piece))
            yield piece
        yield bytes(_padded(blob.size) - blob.size)
    yield _END


def _documents(image: StoredImage) -> dict[str, bytes]:
    legacy = [{"Config": _path(image.config), "RepoTags": [image.tag], "Layers": [_path(b) for b in image.layers]}]
    return {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": index(image),
        "manifest.json": json.dumps(legacy).encode(),
    }


def index(image: StoredImage) -> bytes:
    """An OCI index with this image alone, under our tag."""
    entry = {
        "mediaType": image.manifest.media_type,
        "digest": str(image.digest),
        "size": image.manifest.size,
        # containers/image reads the first, containerd the second.
        "annotations": {"org.opencontainers.image.ref.name": image.tag, "io.containerd.image.name": image.tag},
    }
    document = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
    return json.dumps(document).encode()


def _blobs(image: StoredImage) -> list[Blob]:
    """Manifest, config and layers, each digest once."""
    return list({blob.digest: blob for blob in (image.manifest, image.config, *image.layers)}.values())


def _path(blob: Blob) -> str:
    return f"blobs/sha256/{blob.digest.hex}"


def _header(path: str, size: int) -> bytes:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = size, 0o644
    return entry.tobuf(tarfile.GNU_FORMAT)


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _read(path: Path, size: int) -> Iterator[bytes]:
    left = size
    try:
        with os.fdopen(os.open(path, _OPEN), "rb", buffering=0) as file:
            while left and (piece := file.read(min(left, _CHUNK))):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise disk_error(error, path, "read") from error
    if left:
        raise IntegrityError(f"{path}: ended {left:,} bytes early", hint="Unpack the bundle again.")
