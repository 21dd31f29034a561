"""Lock → plan: every member of the bundle, with its content or its origin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Protocol

from bundler import __version__
from bundler.content.render import render_locked
from bundler.errors import LockError
from bundler.layout.manifest import ImageEntry, Manifest, ModelEntry
from bundler.layout.member import Member, ordered, set_fault
from bundler.lock.model import Lock, LockedFile, LockedImage, LockedModel
from bundler.pack.plan import Ingredient, Plan, inline, make_plan
from bundler.pack.tool_member import tool_member
from bundler.sources.image import Blob
from bundler.sources.interface import Origin


class Origins(Protocol):
    """Where what the lock names lies, for this machine."""

    def blob(self, image: LockedImage, blob: Blob) -> Origin:
        """The origin of a layer or config."""

    def model_file(self, model: LockedModel, file: LockedFile) -> Origin:
        """The origin of a model's file."""

    def extra(self, file: LockedFile) -> Origin:
        """The origin of another file."""


def assemble(lock: Lock, origins: Origins) -> Plan:
    """The plan of the bundle that ``lock`` determines. Raises: LockError, and what ``origins`` raises."""
    ingredients = [tool_member(lock.site_tool)]  # of all that can differ here, what says best why
    ingredients += [inline(file.path, file.data, file.role) for file in render_locked(lock, tool=__version__)]
    ingredients += _images(lock, origins)
    for model in lock.models:
        ingredients += [
            _fetched(f"models/{model.id}/{file.path}", file, "model", origins.model_file(model, file))
            for file in model.files
        ]
    ingredients += [_fetched(file.path, file, "extra", origins.extra(file)) for file in lock.extras]
    ingredients += [_fetched(file.path, file, "elastic", origins.extra(file)) for file in lock.elastic]
    by_path = {item.member.path: item for item in ingredients}
    members = ordered(item.member for item in ingredients)
    fault = set_fault(members)
    if fault:
        raise LockError(f"bundle.lock: {fault}")
    return make_plan(_manifest(lock, members), tuple(by_path[member.path] for member in members))


def _manifest(lock: Lock, members: tuple[Member, ...]) -> Manifest:
    return Manifest(
        name=lock.request["name"],
        version=lock.request["version"],
        platform=lock.request["platform"],
        stack=lock.request["stack"],
        created=lock.created,
        tool=lock.tool,
        members=members,
        images=tuple(_image_entry(image) for image in lock.images),
        models=tuple(_model_entry(model) for model in lock.models),
    )


def _image_entry(image: LockedImage) -> ImageEntry:
    size = len(image.manifest.encode()) + sum({blob.digest: blob.size for blob in image.blobs}.values())
    return ImageEntry(image.role, image.name, image.platform, image.digest, image.source_digest, size)


def _model_entry(model: LockedModel) -> ModelEntry:
    facts = {key: value for key, value in asdict(model.facts).items() if value is not None}
    return ModelEntry(model.id, model.commit, model.license, sum(file.size for file in model.files), facts)


def _fetched(path: str, file: LockedFile, role: str, origin: Origin) -> Ingredient:
    return Ingredient(Member(path, file.size, file.digest, role), origin)


def _images(lock: Lock, origins: Origins) -> Iterator[Ingredient]:
    """One OCI image layout (image-spec, image-layout.md) with every blob once."""
    if not lock.images:
        return
    yield inline("images/oci-layout", b'{"imageLayoutVersion":"1.0.0"}', "image")
    yield inline("images/index.json", _index(lock.images), "image")
    seen = set()
    for image in lock.images:
        if image.digest not in seen:
            seen.add(image.digest)
            yield inline(f"images/blobs/sha256/{image.digest.hex}", image.manifest.encode(), "image")
        for blob in image.blobs:
            if blob.digest not in seen:
                seen.add(blob.digest)
                member = Member(f"images/blobs/sha256/{blob.digest.hex}", blob.size, blob.digest, "image")
                yield Ingredient(member, origins.blob(image, blob))


def _index(images: tuple[LockedImage, ...]) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [_descriptor(image) for image in images],
    }
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def _descriptor(image: LockedImage) -> dict[str, object]:
    """containers/image reads the first annotation, containerd the second."""
    os, architecture, *variant = image.platform.split("/")
    platform = {"os": os, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
    return {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": str(image.digest),
        "size": len(image.manifest.encode()),
        "platform": platform,
        "annotations": {"org.opencontainers.image.ref.name": image.name, "io.containerd.image.name": image.name},
    }
