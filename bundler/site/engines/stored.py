"""An image as it lies in a release: ``images/`` is an OCI layout, and this reads one manifest and config of it.

Rules: what is read whole is bounded and matches its digest; layers are looked at for their size only, for the engine
itself hashes them. Format: https://github.com/opencontainers/image-spec/blob/main/image-layout.md.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.digest import Digest
from bundler.disk import disk_error
from bundler.errors import IntegrityError
from bundler.jsonrow import Row

_LARGEST_DOCUMENT: Final = 4 << 20
_MOST_LAYERS: Final = 1000
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HINT: Final = "Verify the release (llm-bundle verify DIR), and unpack the bundle again."


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob of the layout: media type, digest, size in bytes."""

    media_type: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of the layout at ``layout``; ``entrypoint`` and ``user`` are what its config says.

    ``name`` is the image's own name; ``tag`` is the one that it bears in the engine. It is ours, so that loading a
    bundle moves no tag that the site uses for something else, and removing one removes nothing else.
    """

    layout: Path
    name: str
    digest: Digest
    manifest: Blob
    config: Blob
    layers: tuple[Blob, ...]
    entrypoint: tuple[str, ...]
    user: str

    @property
    def tag(self) -> str:
        """See ``tag_of``."""
        return tag_of(self.name, self.digest)

    @property
    def ids(self) -> frozenset[str]:
        """What an engine may call it: the config's digest, or the manifest's where containerd keeps the images."""
        return frozenset({str(self.config.digest), str(self.digest)})

    @property
    def size(self) -> int:
        """Bytes of config and layers."""
        return self.config.size + sum(layer.size for layer in self.layers)

    def path(self, blob: Blob) -> Path:
        """Where ``blob`` lies."""
        return self.layout / "blobs" / "sha256" / blob.digest.hex


def tag_of(name: str, digest: Digest) -> str:
    """``localhost/llm-bundle/<last part of the name>:<first 12 digits of the digest>``."""
    last = name.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return f"localhost/llm-bundle/{last}:{digest.short}"


def read_image(layout: Path, name: str, digest: Digest) -> StoredImage:
    """The image with the manifest ``digest``. Raises: IntegrityError when it is not whole; MachineError."""
    place = layout / "blobs" / "sha256"
    text = _whole(place / digest.hex, digest)
    row = _row(text, f"{place / digest.hex}")
    config = _blob(row.row("config"))
    layers = row.rows("layers", _blob, _MOST_LAYERS)
    for blob in layers:
        _sized(place / blob.digest.hex, blob.size)
    inner = _row(_whole(place / config.digest.hex, config.digest), f"{place / config.digest.hex}")
    said = inner.row("config") if inner.value.get("config") is not None else None
    manifest = Blob("application/vnd.oci.image.manifest.v1+json", digest, len(text))
    entrypoint = said.texts("Entrypoint", 100) if said and said.value.get("Entrypoint") is not None else ()
    user = said.value.get("User") or "" if said else ""
    if not isinstance(user, str):
        raise IntegrityError(f"{place / config.digest.hex}: config: User: expected a text", hint=_HINT)
    return StoredImage(layout, name, digest, manifest, config, layers, entrypoint, user)


def _blob(row: Row) -> Blob:
    return Blob(row.text("mediaType"), row.digest("digest"), row.number("size"))


def _row(data: bytes, where: str) -> Row:
    try:
        return Row(json.loads(data), where, IntegrityError)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{where}: not JSON ({str(error)[:120]})", hint=_HINT) from error


def _whole(path: Path, digest: Digest) -> bytes:
    try:
        with os.fdopen(os.open(path, _OPEN), "rb") as file:
            data = file.read(_LARGEST_DOCUMENT + 1)
    except FileNotFoundError as error:
        raise IntegrityError(f"{path}: is missing", hint=_HINT) from error
    except OSError as error:
        raise disk_error(error, path, "read") from error
    if Digest.of(data) != digest:
        raise IntegrityError(f"{path}: expected content of {digest}, found {Digest.of(data)}", hint=_HINT)
    return data


def _sized(path: Path, size: int) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError as error:
        raise IntegrityError(f"{path}: is missing", hint=_HINT) from error
    except OSError as error:
        raise disk_error(error, path, "look at") from error
    if not stat.S_ISREG(found.st_mode) or found.st_size != size:
        raise IntegrityError(f"{path}: expected a file of {size:,} bytes, found {found.st_size:,}", hint=_HINT)
