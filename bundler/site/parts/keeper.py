"""Who keeps containers running: starts them again after a crash and after a boot. The engine itself, by its policy.

Rules: what runs as it is to be is left alone; what is otherwise is made anew. What is stopped is gone, so that no boot
brings it back: Podman's own service starts every container that is there, stopped by hand or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from bundler.digest import Digest
from bundler.disk import is_folder
from bundler.errors import EngineError
from bundler.progress import SILENT, Progress
from bundler.serving.container import SPEC_LABEL, ContainerSpec
from bundler.site.engines.interface import Engine
from bundler.site.engines.secrets import read_env_file

RUNNING: Final = Path("/run/systemd/system")
"""There while systemd runs."""

UNITS: Final = Path("/etc/systemd/system")


class Keeper(Protocol):
    """Starts containers for good, and stops them for good."""

    def require(self, progress: Progress = SILENT) -> None:
        """Raises: MachineError, EngineError where it cannot keep them here. Says what is to be done for a boot."""

    def start(self, spec: ContainerSpec) -> None:
        """Start the container, and keep it running. Raises: EngineError, MachineError."""

    def stop(self, name: str, timeout: int) -> None:
        """Stop it within ``timeout`` seconds, and remove it; fine when there is none. Raises: EngineError."""


@dataclass(frozen=True, slots=True)
class EngineKeeper:
    """The engine's own restart policy."""

    engine: Engine

    def require(self, progress: Progress = SILENT) -> None:
        """See ``Keeper.require``: Docker starts them at boot itself, Podman by a service that may not be enabled."""
        enabled = list(UNITS.glob("*.wants/podman-restart.service"))
        if not enabled and is_folder(RUNNING) and self.engine.info().kind == "podman":
            progress.say("warning: Podman starts nothing at boot: systemctl enable podman-restart")

    def start(self, spec: ContainerSpec) -> None:
        """See ``Keeper.start``."""
        marked = with_mark(spec)
        found = self.engine.inspect(spec.name)
        if found and found.running and found.spec == mark_of(spec):
            return
        self.engine.remove(spec.name)
        try:
            self.engine.run(marked)
        except EngineError:
            # What a command that was killed had asked for, the engine may have finished in between.
            if self.engine.inspect(spec.name) is None:
                raise
            self.engine.remove(spec.name)
            self.engine.run(marked)

    def stop(self, name: str, timeout: int) -> None:
        """See ``Keeper.stop``."""
        self.engine.stop(name, timeout)
        self.engine.remove(name)


def with_mark(spec: ContainerSpec) -> ContainerSpec:
    """``spec`` with a label by which a container shows that it was made from it."""
    return replace(spec, labels=(*spec.labels, (SPEC_LABEL, mark_of(spec))))


def mark_of(spec: ContainerSpec) -> str:
    """12 digits that follow from it, and from what its env file holds: an engine with another key is another one.

    Raises: MachineError.
    """
    if spec.env_file is None:
        return spec.mark
    return Digest.of(repr((spec.mark, read_env_file(Path(spec.env_file)))).encode()).short
