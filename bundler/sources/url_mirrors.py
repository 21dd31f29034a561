"""Mirrors of the hosts of addresses: tried in their order, then the address itself.

Rules: a mirror has the address's path, and query, below its prefix; whether it is reached by http and with which
authority is its own entry in ``registries:``. A mirror that failed is passed over from then on, which is said once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from bundler.errors import BundleError, TransientError
from bundler.progress import SILENT, Progress
from bundler.sources import address
from bundler.spec.model import RegistryAccess

T = TypeVar("T")


class UrlMirrors:
    """Knows the mirrors of each host. Safe to use from several threads."""

    def __init__(self, access: Mapping[str, RegistryAccess] | None = None, progress: Progress = SILENT) -> None:
        self._access = access or {}
        self._progress = progress
        self._failed: set[str] = set()
        self._lock = threading.Lock()

    def first_good(self, url: str, action: Callable[[str], T]) -> T:
        """What ``action`` returns for the first address where it succeeds. Raises: what it raised for ``url``."""
        mirrors = self._access.get(address.host(url), RegistryAccess()).mirrors
        for mirror in mirrors:
            if mirror in self._failed:
                continue
            try:
                return action(self._at(mirror, url))
            except BundleError as error:
                self._progress.say(f"mirror {mirror} passed over: {error.message}")
                with self._lock:
                    self._failed.add(mirror)
        try:
            return action(url)
        except TransientError:
            with self._lock:
                self._failed.difference_update(mirrors)
            raise

    def _at(self, mirror: str, url: str) -> str:
        parts = urlsplit(url)
        plain = self._access.get(mirror.partition("/")[0], RegistryAccess()).plain_http
        query = f"?{parts.query}" if parts.query else ""
        return f"{'http' if plain else 'https'}://{mirror.rstrip('/')}{parts.path or '/'}{query}"
