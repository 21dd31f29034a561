"""Elastic's artefacts: looked up, read once, and held against what Elastic itself publishes about them.

Rules: an archive must have the SHA-512 that stands beside it, a model the SHA-256 and size of its metadata. Packages
and documentation have no published digest: they must be what they are called, so that no login page is locked. All
are then pinned by SHA-256 like every other member.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from bundler.digest import Digest
from bundler.errors import IntegrityError, SourceError
from bundler.jsonrow import parse
from bundler.lock.model import LockedFile
from bundler.progress import SILENT, Progress
from bundler.sources.address import host, safe
from bundler.sources.hashes import Hashes, hash_origin
from bundler.sources.interface import Url
from bundler.sources.kinds import Sources
from bundler.sources.package_registry import find_version
from bundler.spec.elastic_sites import Artefact, Group, groups
from bundler.spec.model import Elastic

_SUMS: Final = 4096
_SIGNATURE: Final = 64 << 10
_METADATA: Final = 1 << 20
_VOCABULARY: Final = 20 << 20
"""Bytes: more than these files ever have; the last is Elasticsearch's own limit."""

_SHA512: Final = re.compile(r"([0-9a-f]{128})(?:[ \t]+\*?(\S+))?\s*")
_PGP: Final = b"-----BEGIN PGP SIGNATURE-----"


def lock_elastic(elastic: Elastic | None, sources: Sources, progress: Progress = SILENT) -> tuple[LockedFile, ...]:
    """All that ``elastic`` asks for.

    Raises: SourceError that says what it is for and how else it can be reached; IntegrityError for bytes that are not
    those that Elastic's own digest stands for.
    """
    if elastic is None:
        return ()
    versions = {package.name: find_version(package, elastic.stack, sources.http) for package in elastic.packages}
    return tuple(file for group in groups(elastic, versions) for file in _group(group, sources, progress))


def _group(group: Group, sources: Sources, progress: Progress) -> tuple[LockedFile, ...]:
    try:
        return _KINDS[group.kind](group.files, sources, progress)
    except SourceError as error:
        name = host(group.files[0].url)
        mirror = f"A mirror is named by registries: {{{name}: {{mirrors: [HOST/PREFIX]}}}}."
        raise SourceError(f"{error.message} ({group.title})", hint=f"{error.hint} {mirror}") from error


def _download(files: tuple[Artefact, ...], sources: Sources, progress: Progress) -> tuple[LockedFile, ...]:
    archive, sums, signature = files
    text = sources.http.small(sums.url, _SUMS)
    expected = _published(text, archive)
    signed = _signature(signature, sources)  # before the large one is read in vain
    locked, hashes = _whole(archive, sources, progress)
    if hashes.sha512 != expected:
        raise IntegrityError(
            f"{safe(archive.url)}: expected sha512:{expected[:16]}… as {sums.path.rpartition('/')[2]} says, its source"
            f" gave sha512:{hashes.sha512[:16]}…",
            hint="The source or something on the way (a proxy, a mirror) changed one of the two; try another.",
        )
    return locked, _pinned(sums, text), signed


def _published(text: bytes, archive: Artefact) -> str:
    """The digest in a ``.sha512``, which names its file."""
    name = archive.path.rpartition("/")[2]
    found = _SHA512.fullmatch(text.decode("ascii", "replace"))
    if not found or found[2] not in (None, name):
        raise SourceError(f"{safe(archive.url)}.sha512: expected the SHA-512 of {name}, found {text[:60]!r}")
    return found[1]


def _package(files: tuple[Artefact, ...], sources: Sources, progress: Progress) -> tuple[LockedFile, ...]:
    signature = _signature(files[1], sources)
    locked, hashes = _whole(files[0], sources, progress)
    folder = files[0].path.rpartition("/")[2].removesuffix(".zip")
    if _first_name(_zip(hashes, files[0])).partition("/")[0] != folder:
        found = _first_name(hashes.head)[:80]
        message = f"{safe(files[0].url)}: expected the package {folder}, found a zip that begins with {found!r}"
        raise SourceError(message)
    return locked, signature


def _document(files: tuple[Artefact, ...], sources: Sources, progress: Progress) -> tuple[LockedFile, ...]:
    locked, hashes = _whole(files[0], sources, progress)
    _zip(hashes, files[0])
    return (locked,)


def _model(files: tuple[Artefact, ...], sources: Sources, progress: Progress) -> tuple[LockedFile, ...]:
    """The weights are not read: Elasticsearch itself believes the metadata's digest, and so does the build."""
    weights, metadata, vocabulary = files
    text = sources.http.small(metadata.url, _METADATA)
    row = parse(text, safe(metadata.url), SourceError)
    digest, size = row.digest("sha256", "sha256:"), row.number("size")
    words = sources.http.small(vocabulary.url, _VOCABULARY)
    parse(words, safe(vocabulary.url), SourceError)
    if (found := sources.http.look(weights.url)) != size:
        message = f"{safe(weights.url)}: expected {size:,} bytes as its metadata says, its source has {found:,}"
        raise IntegrityError(message, hint="Model and metadata are of two versions; try again, or another mirror.")
    return LockedFile(weights.path, size, digest), _pinned(metadata, text), _pinned(vocabulary, words)


_Locker = Callable[[tuple[Artefact, ...], Sources, Progress], tuple[LockedFile, ...]]
_KINDS: Final[Mapping[str, _Locker]] = {
    "download": _download,
    "package": _package,
    "document": _document,
    "model": _model,
}


def _whole(file: Artefact, sources: Sources, progress: Progress) -> tuple[LockedFile, Hashes]:
    size = sources.http.look(file.url)
    hashes = hash_origin(sources, Url(file.url), size, safe(file.url), progress=progress)
    return LockedFile(file.path, size, hashes.sha256), hashes


def _signature(file: Artefact, sources: Sources) -> LockedFile:
    text = sources.http.small(file.url, _SIGNATURE)
    if not text.startswith(_PGP):
        raise SourceError(f"{safe(file.url)}: expected a PGP signature, found {text[:40]!r}")
    return _pinned(file, text)


def _pinned(file: Artefact, data: bytes) -> LockedFile:
    return LockedFile(file.path, len(data), Digest.of(data))


def _zip(hashes: Hashes, file: Artefact) -> bytes:
    if not hashes.head.startswith(b"PK\x03\x04"):
        raise SourceError(f"{safe(file.url)}: expected a zip, found something that begins with {hashes.head[:20]!r}")
    return hashes.head


def _first_name(head: bytes) -> str:
    """The first entry's name (APPNOTE.TXT 4.3.7)."""
    return head[30 : 30 + int.from_bytes(head[26:28], "little")].decode("utf-8", "replace")
