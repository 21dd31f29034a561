"""``image:`` → an image source: a registry reference, ``oci:PATH[:TAG]``, ``docker-archive:PATH[:NAME:TAG]``.

Rules: a reference follows the grammar of https://github.com/distribution/reference (``reference.go`` and
``normalize.go``): short names are Docker Hub's, official images lie below ``library/``, and without tag and digest
the tag is ``latest``. Digests are SHA-256. The two local forms are skopeo's (containers-transports(5)).
"""

from __future__ import annotations

import re

from bundler.digest import Digest
from bundler.spec.model import ArchiveImage, ImageSource, LayoutImage, RegistryImage
from bundler.spec.wording import quoted

DOCKER_HUB = "docker.io"

_LABEL = r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])"
REGISTRY = re.compile(rf"{_HOST}(?::[0-9]{{1,5}})?")
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_LAYOUT_TAG = re.compile(r"[A-Za-z0-9]+(?:(?:[-._:@/+]|--)[A-Za-z0-9]+)*")
_LONGEST_REPOSITORY = 255


class ReferenceProblem(ValueError):
    """What is wrong with an image string, without its place; ``hint`` says what is right."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def parse_image(text: str) -> ImageSource:
    """Read an ``image:`` string. Raises: ReferenceProblem."""
    kind, colon, rest = text.partition(":")
    if colon and kind == "oci":
        path, _, tag = rest.partition(":")
        return LayoutImage(_local(path), _layout_tag(tag) if tag else None, text)
    if colon and kind == "docker-archive":
        path, _, tag = rest.partition(":")
        return ArchiveImage(_local(path), _archive_tag(tag) if tag else None, text)
    if "://" in text or rest.startswith("//"):
        hint = "write registry/repository:tag; for plain HTTP set plain_http: true under registries:"
        raise ReferenceProblem(f"expected an image without {kind}://, found {quoted(text)}", hint)
    return parse_reference(text)


def parse_reference(text: str) -> RegistryImage:
    """Read ``[registry/]repository[:tag][@digest]``. Raises: ReferenceProblem."""
    name, at, digest = text.partition("@")
    slash = name.rfind("/")
    colon = name.find(":", slash + 1)
    tag = name[colon + 1 :] if colon >= 0 else None
    registry, repository = _split(name[:colon] if colon >= 0 else name)
    _check_name(registry, repository, text)
    if tag is not None and not _TAG.fullmatch(tag):
        hint = "letters, digits, _ . and -, at most 128, beginning with a letter, a digit or _"
        raise ReferenceProblem(f"expected a tag after the colon, found {quoted(tag)}", hint)
    found = _digest(digest) if at else None
    if tag is None and found is None:
        tag = "latest"
    return RegistryImage(registry, repository, tag, found, text)


def _split(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_host = "." in first or ":" in first or first == "localhost" or first != first.lower()
    if not slash or not is_host:
        first, rest = DOCKER_HUB, name
    if first == "index.docker.io":
        first = DOCKER_HUB
    if first == DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    return first, rest


def _check_name(registry: str, repository: str, text: str) -> None:
    if not REGISTRY.fullmatch(registry):
        raise ReferenceProblem(f"expected a registry as host[:port], found {quoted(registry)}")
    if REPOSITORY.fullmatch(repository):
        if len(repository) > _LONGEST_REPOSITORY:
            raise ReferenceProblem(f"expected a repository of at most {_LONGEST_REPOSITORY} characters")
        if re.fullmatch("library/[0-9a-f]{64}", repository):
            raise ReferenceProblem("expected a repository, found an image id", "write the image's name")
        return
    if REPOSITORY.fullmatch(repository.lower()):
        hint = f"write {quoted(repository.removeprefix('library/').lower())}"
        raise ReferenceProblem(f"expected a repository in lower case, found {quoted(text)}", hint)
    hint = "as in vllm/vllm-openai:v0.9.1 or registry.example/team/image@sha256:…"
    raise ReferenceProblem(f"expected [registry/]repository[:tag][@digest], found {quoted(text)}", hint)


def _digest(text: str) -> Digest:
    try:
        return Digest.parse(text)
    except ValueError as error:
        message = f"expected a digest of sha256: and 64 hexadecimal digits, found {quoted(text)}"
        _, colon, digits = text.partition(":")
        hint = f"it has {len(digits)} digits" if colon and len(digits) != 64 else "digits are 0-9 and a-f"
        raise ReferenceProblem(message, hint) from error


def _local(path: str) -> str:
    if not path:
        raise ReferenceProblem("expected a path after the first colon, found nothing")
    return path


def _layout_tag(tag: str) -> str:
    if not _LAYOUT_TAG.fullmatch(tag):
        raise ReferenceProblem(f"expected oci:PATH[:TAG], found the tag {quoted(tag)}")
    return tag


def _archive_tag(tag: str) -> str:
    if ":" not in tag.rpartition("/")[2] or "@" in tag:
        raise ReferenceProblem(f"expected docker-archive:PATH[:NAME:TAG], found {quoted(tag)} after the path")
    parse_reference(tag)
    return tag
