"""manifest.json: what a bundle says of itself. Written from frozen values, read as hostile input.

The manifest lists every member but itself, SHA256SUMS and its signature. Its members, its ``created`` time and its
name are all that is needed to rebuild every header and every offset of the bundle.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.layout.member import MAX_SIZE, Member, ordered, path_fault, role_fault, set_fault

FORMAT: Final = "llm-bundle/1"
MAX_BYTES: Final = 64 << 20
MAX_MEMBERS: Final = 100_000
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
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{where}: not JSON ({str(error)[:120]})") from error
    row = _Row(document, where)
    found = row.text("format")
    if found != FORMAT:
        raise IntegrityError(
            f'{where}: format: expected "{FORMAT}", found "{found[:40]}"',
            hint="This bundle was made by another llm-bundle; use the tool that lies in the bundle.",
        )
    manifest = Manifest(
        name=row.part("name"),
        version=row.part("version"),
        platform=row.text("platform"),
        created=row.number("created", _LATEST),
        tool=row.text("tool"),
        stack=row.optional("stack"),
        base=row.optional("base"),
        images=row.rows("images", _image),
        models=row.rows("models", _model),
        members=row.rows("members", _member),
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


_T = TypeVar("_T")


class _Row:
    """One JSON object, read field by field; every complaint names its place."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise IntegrityError(f"{where}: expected an object, found {type(value).__name__}")
        self.value = value
        self.where = where

    def wrong(self, key: str, expected: str) -> IntegrityError:
        found = repr(self.value.get(key))
        return IntegrityError(f"{self.where}: {key}: expected {expected}, found {found[:80]}")

    def text(self, key: str) -> str:
        value = self.value.get(key)
        if not isinstance(value, str) or not value or len(value) > 4096:
            raise self.wrong(key, "a text")
        return value

    def optional(self, key: str) -> str | None:
        return None if self.value.get(key) is None else self.text(key)

    def part(self, key: str) -> str:
        value = self.text(key)
        if "/" in value or path_fault(value):
            raise self.wrong(key, "a name that a folder can bear")
        return value

    def number(self, key: str, most: int = MAX_SIZE) -> int:
        value = self.value.get(key)
        if type(value) is not int or not 0 <= value <= most:
            raise self.wrong(key, f"a whole number from 0 to {most}")
        return value

    def digest(self, key: str, prefix: str = "") -> Digest:
        try:
            return Digest.parse(prefix + self.text(key))
        except ValueError:
            raise self.wrong(key, "a SHA-256 digest") from None

    def rows(self, key: str, read: Callable[[_Row], _T]) -> tuple[_T, ...]:
        value = self.value.get(key)
        if not isinstance(value, list) or len(value) > MAX_MEMBERS:
            raise self.wrong(key, f"a list of at most {MAX_MEMBERS}")
        return tuple(read(_Row(item, f"{self.where}: {key}[{index}]")) for index, item in enumerate(value))


def _image(row: _Row) -> ImageEntry:
    return ImageEntry(
        role=row.text("role"),
        name=row.text("name"),
        platform=row.text("platform"),
        digest=row.digest("digest"),
        source_digest=row.digest("source_digest"),
        size=row.number("size"),
    )


def _model(row: _Row) -> ModelEntry:
    facts = row.value.get("facts")
    if not isinstance(facts, dict):
        raise row.wrong("facts", "an object")
    return ModelEntry(row.text("id"), row.optional("commit"), row.optional("license"), row.number("size"), facts)


def _member(row: _Row) -> Member:
    member = Member(row.text("path"), row.number("size"), row.digest("sha256", "sha256:"), row.text("role"))
    fault = path_fault(member.path) or role_fault(member.path, member.role)
    if fault or member.role in ("sums", "signature", "manifest"):
        raise row.wrong("path", fault or "a member that the manifest can list")
    return member
