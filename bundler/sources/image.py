"""The values that looking up an image gives, whichever source it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bundler.digest import Digest
from bundler.spec.model import Platform


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob of an image: an OCI descriptor (media type, digest, size in bytes)."""

    media_type: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """An image for one platform: ``source_digest`` is its manifest's digest at the source.

    ``manifest`` is the text of the OCI manifest for the bundle, see ``lock.model.LockedImage``; ``platform`` is
    the one that the index names, or without an index the image itself; ``layers`` are as listed, so a blob may be
    there twice. ``name`` is what an image on disk is called in the bundle, None where the reference in bundle.yml
    is a name already.
    """

    source_digest: Digest
    platform: Platform
    manifest: str
    config: Blob
    layers: tuple[Blob, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An entry of an index. ``attached`` marks attestations and signatures, which are no images."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None
    attached: bool


@dataclass(frozen=True, slots=True)
class Index:
    """An OCI index or a Docker manifest list."""

    manifests: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image: ``text`` is its OCI manifest, media types of the blobs are OCI's."""

    text: str
    config: Blob
    layers: tuple[Blob, ...]


Parsed: TypeAlias = "Index | Manifest"
