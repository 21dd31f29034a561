"""manifest.json: what a bundle says of itself. Written from frozen values, read as hostile input.

The manifest lists every member but itself, SHA256SUMS and its signature. Its members, its ``created`` time and its
name are all that is needed to rebuild every header and every offset of the bundle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.jsonrow import Row, parse
from bundler.layout.member import MAX_MEMBERS, Member, ordered, role_fault, set_fault
from bundler.relpath import path_fault

FORMAT: Final = "llm-bundle/1"
MAX_BYTES: Final = 64 << 20
_LATEST: Final = 253402300799  # the last second of the year 9999


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """An image of the bundle: its role, full name, platform, and digests here and at its source."""

    role: str
    name: str
    platform: str
    digest: Digest
    source_digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model of the bundle, below ``models/<id>/``; ``facts`` are the numbers that the lock found."""

    id: str
    commit: str | None
    license: str | None
    size: int
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole manifest.json. ``members`` are in the bundle's order."""

    name: str
    version: str
    platform: str
    created: int
    tool: str
    members: tuple[Member, ...]
    images: tuple[ImageEntry, ...] = ()
    models: tuple[ModelEntry, ...] = ()
    stack: str | None = None
    base: str | None = None

    @property
    def top(self) -> str:
        """The bundle's top folder, ``NAME-VERSION``."""
        return f"{self.name}-{self.version}"

    def encode(self) -> bytes:
        """The bytes of manifest.json: sorted keys, two spaces, a line feed at the end."""
        document = {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "platform": self.platform,
            "created": self.created,
            "tool": self.tool,
            "stack": self.stack,
            "base": self.base,
            "images": [_image_json(image) for image in self.images],
            "models": [_model_json(model) for model in self.models],
            "members": [_member_json(member) for member in self.members],
        }
        return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def decode(data: bytes, *, where: str = "manifest.json") -> Manifest:
    """Read a manifest.json. Raises: IntegrityError, with the place, for anything that is not one."""
    row = parse(data, where, IntegrityError)
    found = row.text("format")
    if found != FORMAT:
        raise IntegrityError(
            f'{where}: format: expected "{FORMAT}", found "{found[:40]}"',
            hint="This bundle was made by another llm-bundle; use the tool that lies in the bundle.",
        )
    manifest = Manifest(
        name=_folder_name(row, "name"),
        version=_folder_name(row, "version"),
        platform=row.text("platform"),
        created=row.number("created", _LATEST),
        tool=row.text("tool"),
        stack=row.optional("stack"),
        base=row.optional("base"),
        images=row.rows("images", _image, MAX_MEMBERS),
        models=row.rows("models", _model, MAX_MEMBERS),
        members=row.rows("members", _member, MAX_MEMBERS),
    )
    _check(manifest, where)
    return manifest


def _check(manifest: Manifest, where: str) -> None:
    """The rules that no single row can break."""
    fault = set_fault(manifest.members)
    if fault is None and ordered(manifest.members) != manifest.members:
        fault = "the members are not in the bundle's order"
    if fault:
        raise IntegrityError(f"{where}: members: {fault}")


def _image_json(image: ImageEntry) -> dict[str, Any]:
    return {
        "role": image.role,
        "name": image.name,
        "platform": image.platform,
        "digest": str(image.digest),
        "source_digest": str(image.source_digest),
        "size": image.size,
    }


def _model_json(model: ModelEntry) -> dict[str, Any]:
    return {
        "id": model.id,
        "path": f"models/{model.id}",
        "commit": model.commit,
        "license": model.license,
        "size": model.size,
        "facts": model.facts,
    }


def _member_json(member: Member) -> dict[str, Any]:
    return {"path": member.path, "size": member.size, "sha256": member.digest.hex, "role": member.role}


def _folder_name(row: Row, key: str) -> str:
    value = row.text(key)
    if "/" in value or path_fault(value):
        raise row.wrong(key, "a name that a folder can bear")
    return value


def _image(row: Row) -> ImageEntry:
    return ImageEntry(
        role=row.text("role"),
        name=row.text("name"),
        platform=row.text("platform"),
        digest=row.digest("digest"),
        source_digest=row.digest("source_digest"),
        size=row.number("size"),
    )


def _model(row: Row) -> ModelEntry:
    return ModelEntry(
        id=row.text("id"),
        commit=row.optional("commit"),
        license=row.optional("license"),
        size=row.number("size"),
        facts=row.mapping("facts"),
    )


def _member(row: Row) -> Member:
    member = Member(row.text("path"), row.number("size"), row.digest("sha256", "sha256:"), row.text("role"))
    fault = path_fault(member.path) or role_fault(member.path, member.role)
    if fault or member.role in ("sums", "signature", "manifest"):
        raise row.wrong("path", fault or "a member that the manifest can list")
    return member
