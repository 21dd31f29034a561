"""All sources of a run behind the interface of one. A new kind is a new file and a line here.

Each source is made when it is first needed: nothing is imported for kinds that a bundle.yml does not use.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bundler.progress import SILENT, Progress
from bundler.sources.interface import HubFile, LocalRange, Origin, Reader, RegistryBlob, Source, Url
from bundler.spec.model import RegistryAccess

if TYPE_CHECKING:
    from bundler.sources.http import Http
    from bundler.sources.hub import Hub
    from bundler.sources.local import LocalSource
    from bundler.sources.registry import Registry
    from bundler.sources.transport import Transport

_ATTRIBUTES: Final[Mapping[type, str]] = {
    RegistryBlob: "registry",
    HubFile: "hub",
    Url: "http",
    LocalRange: "local",
}


class Sources:
    """The sources, as this machine reaches them.

    ``base`` is the folder of bundle.yml; ``plain_http`` are hosts that are reached by http:// beside those of
    ``access``.
    """

    def __init__(
        self,
        access: Mapping[str, RegistryAccess],
        base: Path,
        progress: Progress = SILENT,
        *,
        plain_http: Collection[str] = (),
    ) -> None:
        access = {
            **access,
            **{host: replace(access.get(host, RegistryAccess()), plain_http=True) for host in plain_http},
        }
        self._access = {host: replace(one, ca=str(base / one.ca) if one.ca else None) for host, one in access.items()}
        self._progress = progress

    def open(self, origin: Origin, offset: int) -> Reader:
        """See ``Source.open``."""
        source: Source = getattr(self, _ATTRIBUTES[type(origin)])
        return source.open(origin, offset)

    def place(self, kind: str) -> str:
        """Where models of ``kind`` (hub, folder, http) come from, for people."""
        return self.hub.endpoint if kind == "hub" else {"folder": "a folder here", "http": "its address"}[kind]

    @cached_property
    def registry(self) -> Registry:
        """Images in registries."""
        from bundler.sources.registry import Registry

        return Registry(self._access, progress=self._progress)

    @cached_property
    def hub(self) -> Hub:
        """Models on a Hugging Face hub."""
        from bundler.sources.hub import Hub

        return Hub(self._progress)

    @cached_property
    def transport(self) -> Transport:
        """For files at addresses: plain http and private CAs as for the registries of the same hosts."""
        from bundler.sources.transport import Transport

        plain = {host for host, one in self._access.items() if one.plain_http}
        ca = {host: one.ca for host, one in self._access.items() if one.ca}
        return Transport(plain_http=plain, ca=ca, progress=self._progress)

    @cached_property
    def http(self) -> Http:
        """Files at addresses."""
        from bundler.sources.http import Http
        from bundler.sources.url_mirrors import UrlMirrors

        return Http(self.transport, UrlMirrors(self._access, self._progress))

    @cached_property
    def local(self) -> LocalSource:
        """Files on this machine."""
        from bundler.sources.local import LocalSource

        return LocalSource()
