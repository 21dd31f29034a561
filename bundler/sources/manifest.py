"""What a manifest or an index says, checked; no I/O.

Rules: an OCI manifest is kept byte for byte; one of Docker's (or with Docker's types in it) is rewritten
with OCI's media types, as compact JSON with sorted keys, so that it depends on its content only. A
document that can be read in two ways is refused: repeated keys, an index that is a manifest too
(CVE-2021-41190), a media type that contradicts the server's. Formats:
https://github.com/opencontainers/image-spec (manifest.md, image-index.md, config.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from bundler.digest import Digest
from bundler.errors import SourceError
from bundler.sources import media
from bundler.sources.image import Blob, Descriptor, Index, Manifest, Parsed
from bundler.sources.platforms import choose
from bundler.spec.model import Platform

__all__ = ["Descriptor", "Index", "Manifest", "Parsed", "choose", "config_platform", "oci_manifest", "parse_manifest"]

LARGEST_MANIFEST = 4 * 1024 * 1024
LARGEST_CONFIG = 4 * 1024 * 1024
_LARGEST_BLOB = 1 << 50


def parse_manifest(body: bytes, media_type: str = "", *, place: str = "the manifest") -> Parsed:
    """Read a manifest or an index; ``media_type`` is what the source called it, if anything.

    Raises: SourceError when it is broken, ambiguous, of Docker's schema 1, no image, or has foreign layers.
    """
    document = _document(body, place)
    kind = _kind(document, media_type.partition(";")[0].strip(), place)
    if kind in media.INDEXES:
        entries = _list(document, "manifests", place)
        return Index(tuple(_entry(one, f"{place}: manifests[{at}]") for at, one in enumerate(entries)))
    config = _config(document.get("config"), f"{place}: config")
    listed = _list(document, "layers", place)
    layers = tuple(_layer(one, f"{place}: layers[{at}]") for at, one in enumerate(listed))
    rewritten = Manifest(oci_manifest(config, layers), _as_oci(config), tuple(map(_as_oci, layers)))
    if kind == media.DOCKER_MANIFEST or (rewritten.config, rewritten.layers) != (config, layers):
        return rewritten
    return Manifest(body.decode(), config, layers)


def oci_manifest(config: Blob, layers: Sequence[Blob]) -> str:
    """The text of an OCI manifest of these blobs; Docker's media types become OCI's."""
    document = {
        "schemaVersion": 2,
        "mediaType": media.MANIFEST,
        "config": _written(config),
        "layers": [_written(layer) for layer in layers],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def config_platform(body: bytes, *, place: str = "the image's config") -> Platform:
    """The platform that an image's config names. Raises: SourceError when it names none."""
    document = _document(body, place)
    os, architecture, variant = (document.get(key, "") for key in ("os", "architecture", "variant"))
    if not (_name(os) and _name(architecture) and (variant == "" or _name(variant))):
        raise SourceError(f"{place}: expected os and architecture; this is no image's config")
    return Platform(os, architecture, variant)


def _document(body: bytes, place: str) -> dict[str, Any]:
    try:
        document = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{place}: expected JSON that can be read in one way only: {error}") from error
    if not isinstance(document, dict):
        raise SourceError(f"{place}: expected a JSON object")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _kind(document: dict[str, Any], said: str, place: str) -> str:
    own: object = document.get("mediaType") or ""
    shapes = {
        "index": "manifests" in document,
        "manifest": "layers" in document or "config" in document,
    }
    if said.startswith(media.SCHEMA_1) or document.get("schemaVersion") == 1:
        hint = "Push it to the registry again with a current Docker, Podman or skopeo."
        raise SourceError(f"{place}: a Docker manifest of schema 1, a format given up in 2017", hint=hint)
    known = media.INDEXES | media.MANIFESTS
    kind = own or (said if said in known else media.INDEX if shapes["index"] else media.MANIFEST)
    if not isinstance(kind, str) or kind not in known:
        raise SourceError(f"{place}: expected an image, found {str(kind)[:100]!r}")
    wanted = "index" if kind in media.INDEXES else "manifest"
    if [shape for shape, there in shapes.items() if there] != [wanted] or (said in known and said != kind):
        raise SourceError(f"{place}: ambiguous or incomplete: it should be {kind}, called {said or kind}")
    return kind


def _entry(found: Any, place: str) -> Descriptor:
    blob = _blob(found, place)
    platform, notes = found.get("platform"), found.get("annotations")
    attached = bool(found.get("artifactType"))
    if isinstance(notes, dict) and "vnd.docker.reference.type" in notes:
        attached = True
    if platform is None:
        return Descriptor(blob.media_type, blob.digest, blob.size, None, attached)
    fields = platform if isinstance(platform, dict) else {}
    os, architecture, variant = (fields.get(key, "") for key in ("os", "architecture", "variant"))
    if not (_name(os) and _name(architecture) and (variant == "" or _name(variant))):
        raise SourceError(f"{place}.platform: expected os and architecture")
    attached = attached or "unknown" in (os, architecture)
    return Descriptor(blob.media_type, blob.digest, blob.size, Platform(os, architecture, variant), attached)


def _config(found: Any, place: str) -> Blob:
    blob = _blob(found, place)
    if blob.media_type not in media.CONFIGS:
        kind = blob.media_type[:100]
        raise SourceError(f"{place}: expected a container image, found an artifact of type {kind!r}")
    return blob


def _layer(found: Any, place: str) -> Blob:
    blob = _blob(found, place)
    if found.get("urls") or media.foreign(blob.media_type):
        hint = "Its licence keeps it out of registries, and a bundle must be whole. Use another image."
        raise SourceError(f"{place}: a foreign layer, which lies outside of the registry", hint=hint)
    if blob.media_type not in media.LAYERS:
        expected = "expected a tar layer, plain or packed with gzip or zstd"
        raise SourceError(f"{place}: {expected}, found {blob.media_type[:100]!r}")
    return blob


def _blob(found: Any, place: str) -> Blob:
    fields = found if isinstance(found, dict) else {}
    media_type, digest, size = (fields.get(key) for key in ("mediaType", "digest", "size"))
    if not isinstance(media_type, str) or not isinstance(digest, str):
        raise SourceError(f"{place}: expected a descriptor with mediaType, digest and size")
    if type(size) is not int or not 0 <= size <= _LARGEST_BLOB:
        raise SourceError(f"{place}.size: expected a number of bytes, found {str(size)[:40]!r}")
    try:
        return Blob(media_type, Digest.parse(digest), size)
    except ValueError as error:
        raise SourceError(f"{place}.digest: {error}") from error


def _list(document: dict[str, Any], key: str, place: str) -> list[Any]:
    found = document.get(key)
    if not isinstance(found, list):
        raise SourceError(f"{place}: {key}: expected a list")
    return found


def _name(found: Any) -> bool:
    return isinstance(found, str) and re.fullmatch("[A-Za-z0-9._-]{1,64}", found) is not None


def _as_oci(blob: Blob) -> Blob:
    return Blob((media.CONFIGS | media.LAYERS)[blob.media_type], blob.digest, blob.size)


def _written(blob: Blob) -> dict[str, Any]:
    oci = _as_oci(blob)
    return {"mediaType": oci.media_type, "digest": str(oci.digest), "size": oci.size}
