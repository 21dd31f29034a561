"""Where a registry is reached: its mirrors in their order, then the registry itself.

Rules: Docker Hub answers under another name than its images bear. A mirror that failed for a repository is
passed over until everything else failed too; each such failure is said.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bundler.errors import BundleError, TransientError
from bundler.progress import Progress
from bundler.spec.model import RegistryAccess

T = TypeVar("T")

_HUB = "docker.io"
_HUB_SERVER = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A repository at a server: ``registry`` is the name that credentials are kept under."""

    registry: str
    repository: str
    base: str
    mirror: bool

    def url(self, kind: str, reference: object) -> str:
        """The address of a manifest, a blob or the list of tags."""
        return f"{self.base}/v2/{self.repository}/{kind}/{reference}"


class Endpoints:
    """Knows the mirrors of each registry. Safe to use from several threads."""

    def __init__(self, access: Mapping[str, RegistryAccess], progress: Progress) -> None:
        self._access = access
        self._progress = progress
        self._failed: set[Endpoint] = set()
        self._lock = threading.Lock()

    def plain_http(self) -> list[str]:
        """The servers where http:// is allowed."""
        return [_server(name) for name, access in self._access.items() if access.plain_http]

    def authorities(self) -> dict[str, str]:
        """The servers with a private CA and its file."""
        return {_server(name): access.ca for name, access in self._access.items() if access.ca}

    def first_good(self, registry: str, repository: str, action: Callable[[Endpoint], T]) -> T:
        """What ``action`` returns for the first endpoint where it succeeds.

        Raises: what ``action`` raised for the registry itself.
        """
        own = self._endpoint(registry, repository, mirror=False)
        mirrors = self._mirrors(registry, repository)
        for endpoint in mirrors:
            if endpoint in self._failed:
                continue
            try:
                return action(endpoint)
            except BundleError as error:
                self._progress.say(f"mirror {endpoint.registry} passed over: {error.message}")
                with self._lock:
                    self._failed.add(endpoint)
        try:
            return action(own)
        except TransientError:
            with self._lock:
                self._failed.difference_update(mirrors)
            raise

    def _mirrors(self, registry: str, repository: str) -> list[Endpoint]:
        found = []
        for mirror in self._access.get(registry, RegistryAccess()).mirrors:
            name, _, prefix = mirror.partition("/")
            path = f"{prefix.strip('/')}/{repository}" if prefix else repository
            found.append(self._endpoint(name, path, mirror=True))
        return found

    def _endpoint(self, registry: str, repository: str, *, mirror: bool) -> Endpoint:
        plain = self._access.get(registry, RegistryAccess()).plain_http
        return Endpoint(registry, repository, f"{'http' if plain else 'https'}://{_server(registry)}", mirror)


def _server(registry: str) -> str:
    return _HUB_SERVER if registry == _HUB else registry
