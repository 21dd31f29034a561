"""What a model repository of the stand-in hub holds: commits, branches, tags, files with their git and LFS ids.

Formats: a git blob id is the SHA-1 of ``blob <size>\\0`` and the content (https://git-scm.com/book/en/v2/
Git-Internals-Git-Objects); an LFS file is kept in git as a pointer of three lines (https://github.com/git-lfs/
git-lfs/blob/main/docs/spec.md), and the hub lists that pointer's blob id beside the content's SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

LFS = ("*.safetensors", "*.gguf", "*.bin", "*.pt", "*.pth", "*.h5", "*.msgpack", "*.onnx", "tekken.json")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file: its content (bytes, or a file on disk that is never loaded), size, and ids."""

    content: bytes | Path
    size: int
    oid: str
    sha256: str | None = None
    pointer_size: int = 0
    xet: str | None = None

    @property
    def etag(self) -> str:
        """What the hub gives as ETag: the SHA-256 of LFS files, the blob id of others."""
        return self.sha256 or self.oid


@dataclass(slots=True)
class Repository:
    """A repository: ``refs`` are branches and tags, ``commits`` their trees (path → file)."""

    name: str
    private: bool = False
    gated: bool = False
    card: Mapping[str, Any] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Stored]] = field(default_factory=dict)

    def commit(self, files: Mapping[str, Stored], ref: str) -> str:
        """Make a commit of ``files`` and point ``ref`` to it; returns its 40 hexadecimal digits."""
        text = f"{self.name} {len(self.commits)} {sorted((path, file.oid) for path, file in files.items())}"
        sha = hashlib.sha1(text.encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.refs[ref] = sha
        return sha

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, a tag or a commit names."""
        return revision if revision in self.commits else self.refs.get(revision)

    def info(self, commit: str, *, blobs: bool) -> dict[str, Any]:
        """The answer of ``/api/models/{name}/revision/{revision}``."""
        siblings = [_sibling(path, file, blobs=blobs) for path, file in sorted(self.commits[commit].items())]
        return {
            "_id": hashlib.sha1(self.name.encode()).hexdigest()[:24],
            "id": self.name,
            "modelId": self.name,
            "author": self.name.partition("/")[0],
            "sha": commit,
            "lastModified": "2026-01-02T03:04:05.000Z",
            "createdAt": "2026-01-01T00:00:00.000Z",
            "private": self.private,
            "gated": "manual" if self.gated else False,
            "disabled": False,
            "downloads": 1,
            "likes": 0,
            "tags": [f"license:{self.card['license']}"] if isinstance(self.card.get("license"), str) else [],
            "cardData": dict(self.card),
            "siblings": siblings,
            "spaces": [],
        }

    def tree(self, commit: str, folder: str, *, recursive: bool) -> list[dict[str, Any]]:
        """The answer of ``/api/models/{name}/tree/{revision}``: files, and the folders above them."""
        prefix = f"{folder}/" if folder else ""
        entries: dict[str, dict[str, Any]] = {}
        for path, file in sorted(self.commits[commit].items()):
            if not path.startswith(prefix):
                continue
            parts = path[len(prefix) :].split("/")
            for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
                above = prefix + "/".join(parts[:depth])
                oid = hashlib.sha1(above.encode()).hexdigest()
                entries[above] = {"type": "directory", "oid": oid, "size": 0, "path": above}
            if recursive or len(parts) == 1:
                entries[path] = _leaf(path, file)
        return list(entries.values())


def store(content: bytes | Path, *, lfs: bool, xet: bool) -> Stored:
    """Work out size and ids; a file on disk is read in pieces."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if not lfs:
        data = content if isinstance(content, bytes) else content.read_bytes()
        return Stored(content, size, _blob_id(data))
    sha256 = _sha256(content)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    kept = hashlib.sha256(f"xet {sha256}".encode()).hexdigest() if xet else None
    return Stored(content, size, _blob_id(pointer), sha256, len(pointer), kept)


def matches(path: str, patterns: Collection[str]) -> bool:
    """Whether the path or its last part fits one of the patterns."""
    return any(fnmatchcase(path, one) or fnmatchcase(path.rpartition("/")[2], one) for one in patterns)


def _sibling(path: str, file: Stored, *, blobs: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"rfilename": path}
    if blobs:
        entry |= {"size": file.size, "blobId": file.oid}
        if file.sha256:
            entry["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": file.pointer_size}
    return entry


def _leaf(path: str, file: Stored) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "oid": file.oid, "size": file.size, "path": path}
    if file.sha256:
        entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": file.pointer_size}
    if file.xet:
        entry["xetHash"] = file.xet
    return entry


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _sha256(content: bytes | Path) -> str:
    digest = hashlib.sha256()
    if isinstance(content, bytes):
        digest.update(content)
        return digest.hexdigest()
    with content.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
