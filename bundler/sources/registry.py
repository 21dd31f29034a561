"""Images in registries: looking them up for a platform, and opening their blobs.

Rules: every manifest and config is checked against the digest asked for, or the one that the server names,
and against the size that the descriptor promises. Tags are believed to the registry or mirror that is asked
first; all below is pinned by digests. Protocol: https://github.com/opencontainers/distribution-spec.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from bundler.digest import Digest
from bundler.errors import IntegrityError, SourceError
from bundler.progress import SILENT, Progress
from bundler.sources import manifest, media, platforms, refusals
from bundler.sources.credentials import Keychain
from bundler.sources.endpoints import Endpoint, Endpoints
from bundler.sources.image import Blob, Descriptor, Index, Manifest, Resolved
from bundler.sources.interface import Origin, Reader, RegistryBlob
from bundler.sources.login import Logins
from bundler.sources.retry import ATTEMPTS
from bundler.sources.transport import Answer, StatusError, Transport
from bundler.spec.model import Platform, RegistryAccess, RegistryImage

T = TypeVar("T")

_DEEPEST_INDEX = 3
_MIRROR_ATTEMPTS = 2


class Registry:
    """The source of ``RegistryBlob`` origins. ``access`` by host[:port], with absolute paths of CA files."""

    def __init__(
        self,
        access: Mapping[str, RegistryAccess],
        *,
        progress: Progress = SILENT,
        keychain: Keychain | None = None,
        timeouts: tuple[float, float] = (15.0, 60.0),
        attempts: int = ATTEMPTS,
    ) -> None:
        self._endpoints = Endpoints(access, progress)
        self._progress = progress
        self._attempts = attempts
        self._transport = Transport(
            plain_http=self._endpoints.plain_http(),
            ca=self._endpoints.authorities(),
            timeouts=timeouts,
            progress=progress,
            attempts=attempts,
        )
        self._logins = Logins(self._transport, keychain or Keychain())

    def resolve(self, image: RegistryImage, platform: Platform) -> Resolved:
        """Look ``image`` up: its manifest for ``platform``, config and layers.

        Raises: SpecError when the image lacks the platform; SourceError when it is not there, not allowed
        or no image; IntegrityError when a digest or size is not what it should be.
        """
        return self._endpoints.first_good(
            image.registry, image.repository, lambda endpoint: self._resolve(endpoint, image, platform)
        )

    def open(self, origin: Origin, offset: int) -> Reader:
        """Open a blob, see ``interface.Source``."""
        if not isinstance(origin, RegistryBlob):
            raise TypeError(f"expected a RegistryBlob, got {origin!r}")

        def attempt(endpoint: Endpoint) -> Reader:
            url = endpoint.url("blobs", origin.digest)
            what = f"blob {origin.digest.short} of {origin.repository}"
            return self._admitted(
                endpoint, what, lambda secret: self._transport.open(url, offset=offset, secret=secret)
            )

        return self._endpoints.first_good(origin.registry, origin.repository, attempt)

    def _resolve(self, endpoint: Endpoint, image: RegistryImage, platform: Platform) -> Resolved:
        digest, found = self._manifest(endpoint, image, image.digest)
        entry: Descriptor | None = None
        for _ in range(_DEEPEST_INDEX):
            if isinstance(found, Manifest):
                break
            entry = platforms.choose(found, platform, place=image.name)
            digest, found = self._manifest(endpoint, image, entry.digest, entry.size)
        if isinstance(found, Index):
            raise SourceError(f"{image.name}: an index within an index, {_DEEPEST_INDEX} deep")
        own = self._platform(endpoint, image, found.config)
        named = entry.platform if entry else None
        if not platforms.fits(own, platform):
            if named is None:
                raise platforms.lacking(platform, [own], image.name)
            self._progress.say(f"{image.name}: its index says {named}, the image itself {own}; taken as {named}")
        return Resolved(digest, named or own, found.text, found.config, found.layers)

    def _manifest(
        self, endpoint: Endpoint, image: RegistryImage, digest: Digest | None, size: int | None = None
    ) -> tuple[Digest, Manifest | Index]:
        place = f"{image.name}: manifest {digest.short}" if digest else image.name
        answer = self._get(endpoint, image, "manifests", digest or image.tag or "latest", manifest.LARGEST_MANIFEST)
        found = Digest.of(answer.body)
        promised = digest or _promised(answer)
        if (promised is not None and found != promised) or size not in (None, len(answer.body)):
            raise _damaged(place, promised or found, size, answer)
        kind = answer.headers.get("Content-Type", "")
        return found, manifest.parse_manifest(answer.body, kind, place=place)

    def _platform(self, endpoint: Endpoint, image: RegistryImage, config: Blob) -> Platform:
        place = f"{image.name}: config {config.digest.short}"
        if config.size > manifest.LARGEST_CONFIG:
            raise SourceError(f"{place}: expected at most 4 MiB, it is {config.size} bytes")
        answer = self._get(endpoint, image, "blobs", config.digest, manifest.LARGEST_CONFIG)
        if Digest.of(answer.body) != config.digest or len(answer.body) != config.size:
            raise _damaged(place, config.digest, config.size, answer)
        return manifest.config_platform(answer.body, place=place)

    def _get(self, endpoint: Endpoint, image: RegistryImage, kind: str, reference: object, limit: int) -> Answer:
        url = endpoint.url(kind, reference)
        headers = {"Accept": media.ACCEPT} if kind == "manifests" else {}
        attempts = _MIRROR_ATTEMPTS if endpoint.mirror else self._attempts

        def ask(secret: Mapping[str, str]) -> Answer:
            try:
                return self._transport.small(url, headers=headers, secret=secret, limit=limit, attempts=attempts)
            except StatusError as error:
                unknown_name = "NAME_UNKNOWN" in refusals.codes(error.body)
                if error.status == 404 and reference == image.tag and not unknown_name:
                    tags = self._tags(endpoint, secret)
                    raise refusals.unknown_tag(endpoint, image, tags) from error
                raise

        return self._admitted(endpoint, image.name, ask)

    def _tags(self, endpoint: Endpoint, secret: Mapping[str, str]) -> list[str] | None:
        """One page of tags, None without a repository; none of them where they may not be listed."""
        try:
            url = endpoint.url("tags", "list")
            answer = self._transport.small(url, secret=secret, limit=refusals.LARGEST_TAGS, attempts=1)
        except StatusError as error:
            return None if error.status == 404 else []
        except SourceError:
            return []
        return refusals.read_tags(answer.body)

    def _admitted(self, endpoint: Endpoint, what: str, action: Callable[[Mapping[str, str]], T]) -> T:
        """Do ``action`` with the headers of a login; log in, or once more, when it is refused with 401."""
        secret = self._logins.known(endpoint.registry, endpoint.repository)
        try:
            try:
                return action(secret)
            except StatusError as error:
                # A blob store that the registry redirected to may not ask for the registry's credentials.
                if error.status != 401 or not error.url.startswith(f"{endpoint.base}/"):
                    raise
                secret = self._logins.renew(endpoint.registry, endpoint.repository, error, secret)
                return action(secret)
        except SourceError as error:
            told = refusals.explained(error, endpoint, what)
            if told is error:
                raise
            raise told from error


def _promised(answer: Answer) -> Digest | None:
    try:
        return Digest.parse(answer.headers.get("Docker-Content-Digest", ""))
    except ValueError:
        return None


def _damaged(place: str, digest: Digest, size: int | None, answer: Answer) -> IntegrityError:
    expected = f"expected {digest}" + (f" of {size} bytes" if size is not None else "")
    found = f"{Digest.of(answer.body)} of {len(answer.body)} bytes"
    hint = "The registry, or a proxy before it, sends something else than it promises. Try without the proxy."
    return IntegrityError(f"{place}: {expected}, {answer.url} sent {found}", hint=hint)
