"""Images in what ``docker save``, ``podman save`` and ``skopeo copy … docker-archive:`` write.

Rules: ``manifest.json`` names the images and their entries; nothing else of the archive is believed. These archives
hold no OCI manifest of their own that all writers agree on, so one is made from the config and the layers. A layer's
digest is that of the entry's bytes: the one in the entry's name where it lies below ``blobs/sha256`` (then the
build checks it), else it is hashed here. What a plain layer must be, the config's ``diff_ids`` say.
Formats: https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format
and, from Docker 25 on, an OCI layout besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundler.digest import Digest
from bundler.errors import IntegrityError, SourceError, SpecError
from bundler.jsonrow import Row
from bundler.progress import SILENT, Progress
from bundler.sources import media, platforms
from bundler.sources.archive import index_archive
from bundler.sources.hashing import hash_ranges
from bundler.sources.image import Blob, Resolved
from bundler.sources.image_files import ImageFiles, parse_json, read_json, read_whole
from bundler.sources.image_name import full_name, made_name
from bundler.sources.interface import LocalRange
from bundler.sources.local import read_range
from bundler.sources.manifest import config_platform, oci_manifest
from bundler.spec.model import ArchiveImage, Platform

_LARGEST_LIST = 10_000
_SHOWN = 20
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_MAGIC = {b"\x1f\x8b": f"{_LAYER}+gzip", b"\x28\xb5\x2f\xfd": f"{_LAYER}+zstd"}
_NAMED = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class _Saved:
    """One image of manifest.json: names of entries, and the image's own names spelt out."""

    config: str
    layers: tuple[str, ...]
    names: tuple[str, ...]


def resolve(image: ArchiveImage, platform: Platform, base: Path, progress: Progress = SILENT) -> Resolved:
    """Look ``image`` up for ``platform``; ``base`` is the folder of bundle.yml. Layers are hashed.

    Raises: SpecError when the name is not there, is needed, or lacks the platform; SourceError when this is no
    such archive or not all of one; IntegrityError when a digest is wrong; MachineError when it cannot be read.
    """
    files = index_archive(base / image.path)
    saved = _chosen(image, _images(files))
    place = f"{files.path}: {saved.config}"
    body = read_whole(files, saved.config)
    config = Blob(media.CONFIG, _named(saved.config, Digest.of(body), place), len(body))
    own = config_platform(body, place=place)
    if not platforms.fits(own, platform):
        raise platforms.lacking(platform, [own], image.written)
    layers = _layers(files, saved, _diff_ids(body, place), progress)
    manifest = oci_manifest(config, layers)
    name = _name(image, saved, files.path)
    return Resolved(Digest.of(manifest.encode()), own, manifest, config, layers, name)


def blob_ranges(image: ArchiveImage, config: Blob, layers: Sequence[Blob], base: Path) -> Mapping[Digest, LocalRange]:
    """Where the bytes of a locked image lie now, by their place in manifest.json; nothing is hashed.

    Raises: SourceError when an entry is missing; IntegrityError when it has another size than the lock says.
    """
    files = index_archive(base / image.path)
    saved = _chosen(image, _images(files))
    if len(saved.layers) != len(layers):
        raise _changed(files.path, f"{len(layers)} layers", str(len(saved.layers)))
    found = {}
    for name, blob in zip((saved.config, *saved.layers), (config, *layers), strict=True):
        found[blob.digest] = origin = _find(files, name)
        if origin.size != blob.size:
            raise _changed(f"{files.path}: {name}", f"{blob.size} bytes", str(origin.size))
    return found


def _images(files: ImageFiles) -> list[_Saved]:
    if files.find("manifest.json") is None:
        hint = "Name what `docker save`, `podman save` or `skopeo copy` wrote."
        if files.find("oci-layout"):
            hint = f"This is an OCI layout: use oci:{files.path}"
        raise SourceError(f"{files.path}: expected a Docker archive, but manifest.json is missing", hint=hint)
    place = f"{files.path}: manifest.json"
    found = read_json(files, "manifest.json")
    if not isinstance(found, list) or not 0 < len(found) <= _LARGEST_LIST:
        raise SourceError(f"{place}: expected a list of images", hint="Save the image again.")
    return [_saved(Row(one, f"{place}[{at}]", SourceError)) for at, one in enumerate(found)]


def _saved(row: Row) -> _Saved:
    names = [full_name(text) for text in _texts(row, "RepoTags") if text != "<none>:<none>"]
    if None in names:
        raise row.wrong("RepoTags", "names of images")
    return _Saved(row.text("Config"), _texts(row, "Layers"), tuple(name for name in names if name))


def _texts(row: Row, key: str) -> tuple[str, ...]:
    found = row.value.get(key) or []
    if not isinstance(found, list) or len(found) > _LARGEST_LIST or not all(isinstance(t, str) for t in found):
        raise row.wrong(key, "a list of texts")
    return tuple(found)


def _chosen(image: ArchiveImage, images: Sequence[_Saved]) -> _Saved:
    names = [name for saved in images for name in saved.names]
    listed = ", ".join(names[:_SHOWN]) or "none with a name"
    if image.tag is None:
        if len(images) == 1:
            return images[0]
        hint = f"Say which: docker-archive:{image.path}:NAME:TAG"
        raise SpecError(f"{image.written}: expected one image, found {len(images)}: {listed}", hint=hint)
    wanted = full_name(image.tag)
    chosen = [saved for saved in images if wanted in saved.names]
    if not chosen:
        hint = f"Write one of these after docker-archive:{image.path}:"
        raise SpecError(f"{image.written}: no image {image.tag!r}; there is {listed}", hint=hint)
    return chosen[0]


def _name(image: ArchiveImage, saved: _Saved, path: Path) -> str:
    wanted = full_name(image.tag) if image.tag else None
    return wanted or next(iter(saved.names), None) or made_name(path, None)


def _diff_ids(config: bytes, place: str) -> list[Digest]:
    """The digests of the unpacked layers, from the image's config."""
    rootfs = Row(parse_json(config, place), place, SourceError).row("rootfs")
    try:
        return [Digest.parse(text) for text in _texts(rootfs, "diff_ids")]
    except ValueError as error:
        raise rootfs.wrong("diff_ids", "SHA-256 digests") from error


def _layers(files: ImageFiles, saved: _Saved, diff_ids: Sequence[Digest], progress: Progress) -> tuple[Blob, ...]:
    if len(saved.layers) != len(diff_ids):
        raise SourceError(
            f"{files.path}: manifest.json lists {len(saved.layers)} layers, its config {len(diff_ids)}",
            hint="The archive contradicts itself: save the image again.",
        )
    origins = [_find(files, name) for name in saved.layers]
    unnamed = [o for name, o in zip(saved.layers, origins, strict=True) if not _BLOB.fullmatch(name)]
    hashed = hash_ranges(unnamed, f"reading {files.path.name}", progress)
    return tuple(
        _layer(origin, name, hashed.get(origin), diff_id, f"{files.path}: {name}")
        for origin, name, diff_id in zip(origins, saved.layers, diff_ids, strict=True)
    )


def _layer(origin: LocalRange, name: str, hashed: Digest | None, diff_id: Digest, place: str) -> Blob:
    kind = _layer_type(origin, place)
    digest = hashed or Digest(name.rpartition("/")[2])
    if kind == _LAYER and digest != diff_id:
        raise _wrong_digest(place, diff_id, digest)
    return Blob(kind, digest, origin.size)


def _layer_type(origin: LocalRange, place: str) -> str:
    start = read_range(LocalRange(origin.path, origin.start, min(4, origin.size)), 4, place)
    if start.startswith((b"BZh", b"\xfd7zX")):
        raise SourceError(f"{place}: expected a layer that is plain or packed with gzip or zstd, found another")
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), _LAYER)


def _find(files: ImageFiles, name: str) -> LocalRange:
    found = files.find(name)
    if found is None:
        hint = "The archive is not whole: save the image again."
        raise SourceError(f"{files.path}: manifest.json names {name[:200]!r}, which is not there", hint=hint)
    return found


def _named(name: str, digest: Digest, place: str) -> Digest:
    """``digest``, which must be the one in the entry's name where there is one."""
    match = _NAMED.fullmatch(name)
    if match and match[1] != digest.hex:
        raise _wrong_digest(place, Digest(match[1]), digest)
    return digest


def _wrong_digest(place: str, expected: Digest, found: Digest) -> IntegrityError:
    hint = "The archive was damaged or changed: save the image again."
    return IntegrityError(f"{place}: expected content of {expected}, found {found}", hint=hint)


def _changed(place: object, expected: str, found: str) -> IntegrityError:
    hint = "The archive was replaced after `llm-bundle lock`. Put the old one back, or lock again."
    return IntegrityError(f"{place}: expected {expected}, found {found}", hint=hint)
