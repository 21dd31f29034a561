"""What all parts of a release stand on: its engine and its keeper, its images, its networks, its place on disk."""

from __future__ import annotations

import resource
from functools import cached_property
from pathlib import Path
from typing import Final

from bundler.site.engines.interface import Engine, EngineInfo
from bundler.site.parts.images import ReleaseImages
from bundler.site.parts.keeper import Keeper
from bundler.site.parts.network import Networks
from bundler.site.parts.runner import Runner, runner
from bundler.site.place import Place
from bundler.site.state import Release, Settings, State

_FILES: Final = 65536


class Ground:
    """The ground of ``release``. The engine is asked when it is needed, and not before."""

    def __init__(self, place: Place, state: State, release: Release, engine: Engine, keeper: Keeper) -> None:
        # Engines take absolute paths alone.
        self.place = place = Place(place.root.absolute())
        self.release = release
        self.settings: Settings = state.settings
        self.engine = engine
        self.keeper = keeper
        self.digits = release.manifest.partition(":")[2][:12]
        self.images = ReleaseImages(place, state, release, engine)
        self.networks = Networks(engine, self.digits)

    @property
    def proxy_name(self) -> str:
        """The name of the proxy's container."""
        return f"llm-proxy-{self.digits}"

    def engine_name(self, replica: int) -> str:
        """The name of an engine's container; ``replica`` counts from 0, the names from 1."""
        return f"llm-engine-{self.digits}-{replica + 1}"

    @property
    def folder(self) -> Path:
        """The release as it was unpacked."""
        return self.place.release(self.release.id)

    @property
    def work(self) -> Path:
        """What is made for the release here."""
        return self.place.work(self.release.id)

    @cached_property
    def info(self) -> EngineInfo:
        """The engine. Raises: EngineError, MachineError."""
        return self.engine.info()

    def runner(self, *, low_ports: bool = False) -> Runner:
        """As whom containers run. Raises: as ``info``."""
        return runner(self.info, low_ports=low_ports)

    @property
    def open_files(self) -> int | None:
        """How many files a container may have open: as many as this user may, up to what vLLM wants.

        None for Podman, which by itself gives as many as there can be. Raises: as ``info``.
        """
        if self.info.kind == "podman":
            return None
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
