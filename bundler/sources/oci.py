"""Images in OCI layouts on disk: a folder, or a plain tar archive of one.

Rules: the layout's ``index.json`` names images by annotation, with a tag
(``org.opencontainers.image.ref.name``) or in full (``io.containerd.image.name``); several entries of one
name are its platforms. Manifests and configs are checked against their digests here, layers are looked for
and measured, and hashed when the bundle is built. Format:
https://github.com/opencontainers/image-spec/blob/main/image-layout.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundler.digest import Digest
from bundler.errors import SourceError, SpecError
from bundler.sources import platforms
from bundler.sources.image import Blob, Descriptor, Index, Manifest, Resolved
from bundler.sources.image_files import ImageFiles, find_blob, open_files, read_blob, read_json, read_whole
from bundler.sources.image_name import full_name, made_name
from bundler.sources.interface import LocalRange
from bundler.sources.manifest import config_platform, parse_manifest
from bundler.spec.model import LayoutImage, Platform

_TAG = "org.opencontainers.image.ref.name"
_NAME = "io.containerd.image.name"
_DEEPEST_INDEX = 4
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Named:
    """An entry of index.json with what it is called."""

    entry: Descriptor
    tag: str | None
    name: str | None

    @property
    def called(self) -> str | None:
        return self.tag or self.name


def resolve(image: LayoutImage, platform: Platform, base: Path) -> Resolved:
    """Look ``image`` up for ``platform``; ``base`` is the folder of bundle.yml.

    Raises: SpecError when the tag is not there, is needed, or lacks the platform; SourceError when this is
    no layout or not all of one; IntegrityError when a size or digest is wrong; MachineError when it cannot
    be read.
    """
    files = open_files(base / image.path)
    _check_version(files)
    named = _chosen(image, _entries(files))
    digest, found, said = _manifest(files, Index(tuple(one.entry for one in named)), platform, image.written)
    config = read_blob(files, found.config.digest, found.config.size)
    own = config_platform(config, place=f"{image.written}: config {found.config.digest.short}")
    if said is None and not platforms.fits(own, platform):
        raise platforms.lacking(platform, [own], image.written)
    for layer in found.layers:
        find_blob(files, layer.digest, layer.size)
    return Resolved(digest, said or own, found.text, found.config, found.layers, _name(named[0], files.path))


def blob_ranges(image: LayoutImage, config: Blob, layers: Sequence[Blob], base: Path) -> Mapping[Digest, LocalRange]:
    """Where the bytes of a locked image lie now; ``base`` is the folder of bundle.yml.

    Raises: SourceError when a blob is missing; IntegrityError when it has another size than the lock says.
    """
    files = open_files(base / image.path)
    return {blob.digest: find_blob(files, blob.digest, blob.size) for blob in (config, *layers)}


def _check_version(files: ImageFiles) -> None:
    if files.find("oci-layout") is None:
        hint = "Name the folder that holds oci-layout and index.json, or a tar of what it holds."
        if files.find("manifest.json"):
            hint = f"This is what `docker save` writes: use docker-archive:{files.path}"
        if files.find("version"):
            hint = "This is what `skopeo copy … dir:` writes. Write a layout: skopeo copy dir:… oci:…"
        raise SourceError(f"{files.path}: expected an OCI image layout, but oci-layout is missing", hint=hint)
    marker = read_json(files, "oci-layout")
    version = marker.get("imageLayoutVersion") if isinstance(marker, dict) else None
    if not isinstance(version, str) or not version.startswith("1."):
        said = str(version)[:40]
        raise SourceError(f"{files.path}: oci-layout: expected imageLayoutVersion 1.0.0, found {said!r}")


def _entries(files: ImageFiles) -> list[_Named]:
    """The images of index.json; attestations and signatures are none."""
    place = f"{files.path}: index.json"
    index = parse_manifest(read_whole(files, "index.json"), place=place)
    if not isinstance(index, Index):
        raise SourceError(f"{place}: expected an index, found an image's manifest")
    found = []
    # The parser gives the entries in the order of the document and has checked their shape.
    for entry, written in zip(index.manifests, read_json(files, "index.json")["manifests"], strict=True):
        notes = written.get("annotations")
        tag, name = (_text(notes, key) for key in (_TAG, _NAME))
        if not entry.attached:
            found.append(_Named(entry, tag, name))
    if not found:
        raise SourceError(f"{place}: it names no image", hint="Copy the image into the layout again.")
    return found


def _text(notes: object, key: str) -> str | None:
    found = notes.get(key) if isinstance(notes, dict) else None
    return found if isinstance(found, str) and 0 < len(found) <= 512 and found.isprintable() else None


def _chosen(image: LayoutImage, entries: Sequence[_Named]) -> list[_Named]:
    """Those that the tag means, or all when they are one image."""
    called = list(dict.fromkeys(one.called for one in entries))
    if image.tag is None:
        if len(called) == 1:
            return list(entries)
        hint = f"Say which: oci:{image.path}:TAG"
        raise SpecError(f"{image.written}: expected one image, found {len(called)}: {_list(called)}", hint=hint)
    chosen = [one for one in entries if image.tag in (one.tag, one.name)]
    if not chosen:
        hint = f"Write one of these after oci:{image.path}:" if any(called) else f"Write oci:{image.path}"
        raise SpecError(f"{image.written}: no image {image.tag!r}; there is {_list(called)}", hint=hint)
    return chosen


def _list(called: Iterable[str | None]) -> str:
    names = [name or "one without a name" for name in called]
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _manifest(
    files: ImageFiles, index: Index, platform: Platform, place: str
) -> tuple[Digest, Manifest, Platform | None]:
    """The manifest for ``platform``, its digest, and the platform that its index gives it, if any."""
    for _ in range(_DEEPEST_INDEX):
        entry = platforms.choose(index, platform, place=place)
        body = read_blob(files, entry.digest, entry.size)
        found = parse_manifest(body, entry.media_type, place=f"{place}: manifest {entry.digest.short}")
        if isinstance(found, Manifest):
            return entry.digest, found, entry.platform
        index = found
    raise SourceError(f"{place}: an index within an index, {_DEEPEST_INDEX} deep", hint="Copy the image again.")


def _name(named: _Named, path: Path) -> str:
    """containerd's full name, else the tag where it is one (as Podman writes it), else one of ours."""
    for text in (named.name, named.tag):
        if text and ("/" in text or ":" in text) and (name := full_name(text)):
            return name
    return made_name(path, named.tag)
