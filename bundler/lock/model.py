"""What bundle.lock says, as frozen values. Every byte of the bundle but the signature follows from these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bundler.digest import Digest
from bundler.models.facts import ModelFacts as ModelFacts
from bundler.sources.image import Blob as Blob

FORMAT = "llm-bundle-lock/1"
KINDS = ("hub", "folder", "http")


@dataclass(frozen=True, slots=True)
class LockedImage:
    """One image for one platform.

    ``manifest`` is the text of the OCI image manifest, the very bytes that go into the bundle. Where the source had
    a Docker manifest it is that one rewritten with OCI's media types, and ``source_digest`` (the digest in the
    registry) differs from the manifest's own; config and layers are the same bytes in both.
    """

    role: str
    written: str
    name: str
    platform: str
    source_digest: Digest
    manifest: str
    config: Blob
    layers: tuple[Blob, ...]

    @property
    def digest(self) -> Digest:
        """The digest of the OCI manifest in the bundle."""
        return Digest.of(self.manifest.encode())

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Config and layers; the manifest itself is not among them."""
        return (self.config, *self.layers)


@dataclass(frozen=True, slots=True)
class LockedFile:
    """A file with its path (``/`` between parts, relative), size in bytes and digest."""

    path: str
    size: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class LockedModel:
    """A model: the commit (None for a folder or an address), its files in path order, its facts."""

    id: str
    kind: str
    commit: str | None
    license: str | None
    files: tuple[LockedFile, ...]
    facts: ModelFacts


@dataclass(frozen=True, slots=True)
class LockedTool:
    """llm-bundle.pex: size in bytes, digest, and the version of every distribution that it was made of and with."""

    size: int
    digest: Digest
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lock:
    """A whole bundle.lock.

    ``elastic`` are Elastic's artefacts, in the order of ``spec/elastic_sites.py``, where their addresses are.

    ``request`` is what bundle.yml asked for, normalised (``lock/request.py``), by which the lock is matched to it.
    ``created`` is in seconds since 1970, UTC; every member of the bundle bears it as its time. ``rendered`` are the
    files that llm-bundle itself writes into the bundle (README, configuration), with their digests; ``site_tool`` is
    the program that it puts there.
    """

    tool: str
    created: int
    request: dict[str, Any]
    images: tuple[LockedImage, ...]
    models: tuple[LockedModel, ...]
    extras: tuple[LockedFile, ...]
    rendered: tuple[LockedFile, ...]
    site_tool: LockedTool
    elastic: tuple[LockedFile, ...] = ()
