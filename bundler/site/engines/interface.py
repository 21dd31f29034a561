"""What the site asks of a container engine. One file for each engine; the rules of a container are in ``serving``.

Rules: nothing is pulled; what an engine refuses is an EngineError with its own words; what bears no label of ours is
neither stopped nor removed; secrets go by an env file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from bundler.progress import SILENT, Progress
from bundler.serving.container import ContainerSpec
from bundler.site.engines.stored import StoredImage


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """An engine: ``kind`` is docker, podman or containerd; ``root`` is the folder where it keeps its images.

    ``gpus``: the runtimes or CDI kinds that it names for GPUs, perhaps none.
    """

    kind: str
    version: str
    storage_driver: str
    root: str
    rootless: bool
    architecture: str
    cgroups: str = ""
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A container as it is now.

    ``status`` is one of created, running, restarting, paused, exited, dead; ``health`` one of starting, healthy,
    unhealthy, or None where it has no check. ``started`` is the time in RFC 3339; ``addresses`` network → address;
    ``spec`` is what its label says that it was made from, or empty; ``pid`` its first process, or 0.
    """

    name: str
    status: str
    health: str | None
    exit_code: int
    error: str
    started: str
    restarts: int
    image_id: str
    owner: str | None
    addresses: dict[str, str] = field(default_factory=dict)
    spec: str = ""
    pid: int = 0

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.status == "running"


class Images(Protocol):
    """An engine as a store of images."""

    def info(self) -> EngineInfo:
        """What the engine is. Raises: EngineError when it does not answer; MachineError when it is not there."""

    def load(self, image: StoredImage, progress: Progress = SILENT) -> str:
        """Load ``image`` under its tag, and return the engine's id of it; the digest is that of the bundle.

        Raises: EngineError; IntegrityError when the engine has another image afterwards, or the layout is damaged.
        """

    def has(self, image: StoredImage) -> bool:
        """Whether the engine has this very image under our tag."""

    def remove_image(self, tag: str) -> bool:
        """Take a tag of ours away, and the image where nothing else uses it; whether it was there."""


class Engine(Images, Protocol):
    """An engine that runs containers, too."""

    def create_network(self, name: str, owner: str, *, internal: bool, subnet: str | None = None) -> None:
        """Make a network if it is not there yet; ``internal`` ones have no way out.

        Raises: EngineError, also when a network of that name is not ours or is of the other sort.
        """

    def networks(self) -> dict[str, tuple[str, ...]]:
        """Name → subnets of all networks of the engine, whosever they are."""

    def remove_network(self, name: str) -> bool:
        """Remove a network of ours; whether it was there."""

    def run(self, spec: ContainerSpec) -> None:
        """Create the container and start it; what cannot be started is removed again."""

    def start(self, name: str) -> None:
        """Start a container that was stopped."""

    def stop(self, name: str, timeout: int = 30) -> None:
        """Stop a container of ours, with force after ``timeout`` seconds; none of that name is fine."""

    def signal(self, name: str, signal: str) -> None:
        """Send the first process of a container of ours a signal, as in ``HUP``. Raises: EngineError, also for none."""

    def remove(self, name: str) -> bool:
        """Remove a container of ours, running or not; whether it was there."""

    def inspect(self, name: str) -> ContainerState | None:
        """The container as it is now, with its health asked for; None when there is none."""

    def logs(self, name: str, tail: int = 100) -> str:
        """The last ``tail`` lines of its output, at most 1 MiB."""
