"""What serves: the engine and the proxy of one release, each a part with the same few verbs.

A part knows how it is kept running (containers of an engine, Quadlet units, LM Studio's own command, the host's
Nginx) and nothing of releases that come and go: ``site/install`` calls the parts of two releases in turn. Names of
containers, networks and units end in the release's digits, so that two releases can lie side by side. Every verb may
be called again after it was interrupted, at any point, and then finishes what it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bundler.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class PartState:
    """A part as it is now. ``healthy`` None: it cannot be told yet; every part says True in the end, or False.

    ``since`` is RFC 3339 or empty; ``image`` the engine's id of what runs, or empty; ``detail`` what a person should
    know, as why it does not run, in one line and without secrets.
    """

    name: str
    running: bool
    healthy: bool | None
    since: str = ""
    image: str = ""
    detail: str = ""


class Part(Protocol):
    """The engine or the proxy of one release."""

    @property
    def name(self) -> str:
        """What people call it, as in ``engine`` or ``proxy``."""

    def prepare(self, progress: Progress = SILENT) -> None:
        """Whatever can be done while another release serves: images loaded, files written, nothing started.

        Raises: EngineError, MachineError, IntegrityError.
        """

    def start(self) -> None:
        """Start it. Done when the process is there; ``state`` says when it is healthy. Raises: as ``prepare``."""

    def stop(self) -> None:
        """Stop it and keep it stopped, also over a boot; fine when it does not run. Raises: EngineError."""

    def remove(self) -> None:
        """Stop it and leave nothing of it but its images (``drop_images``). Raises: EngineError."""

    def drop_images(self) -> None:
        """Take its images from the engine, those apart that a release of the state beside it needs.

        The last verb of a release that goes for good, after ``remove``; nothing where it has none. Raises: EngineError.
        """

    def state(self) -> PartState:
        """How it is now. Raises: EngineError when whoever keeps it does not answer."""

    def logs(self, tail: int = 50) -> str:
        """The last lines that it said, at most 1 MiB, for a person."""


class Proxy(Part, Protocol):
    """The proxy: it can read its configuration and its tokens anew without dropping a stream."""

    def reload(self) -> None:
        """Test the configuration, then reload it; what ran goes on when the test fails. Raises: EngineError."""


@dataclass(frozen=True, slots=True)
class Parts:
    """All that serves a release; no proxy where the bundle has none.

    ``url`` is where clients reach it: the proxy, or the engine itself where there is no proxy. ``connect`` is the
    address and port by which this host reaches the same. ``model`` is the name that clients send, ``server_name``
    the name in the certificate (None without a proxy).
    """

    engine: Part
    proxy: Proxy | None
    url: str
    connect: tuple[str, int]
    model: str
    server_name: str | None

    @property
    def all(self) -> tuple[Part, ...]:
        """In the order in which they are started."""
        return (self.engine, self.proxy) if self.proxy else (self.engine,)
