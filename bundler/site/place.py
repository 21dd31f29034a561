"""Where everything of an installation lies below ``--root``. Paths only; nothing is read or made here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT: Final = Path("/var/lib/llm-bundle")


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of an installation. What bears a secret lies below ``secrets`` (0700), and nowhere else."""

    root: Path

    @property
    def releases(self) -> Path:
        """Holds a folder for each release, named by its id: ``<name>-<version>-<12 of the manifest's digest>``."""
        return self.root / "releases"

    @property
    def current(self) -> Path:
        """A link to the release that serves; replaced by rename."""
        return self.root / "current"

    @property
    def state(self) -> Path:
        """state.json: what is installed, what serves, what was chosen."""
        return self.root / "state.json"

    @property
    def lock(self) -> Path:
        """Held (flock) by whoever changes the installation."""
        return self.root / ".lock"

    @property
    def audit(self) -> Path:
        """audit.log: a JSON line for everything that was done, ECS names."""
        return self.root / "audit.log"

    @property
    def secrets(self) -> Path:
        """0700. tokens.json, engine.env."""
        return self.root / "secrets"

    @property
    def engine_env(self) -> Path:
        """The env file of the engine, with its key. 0600."""
        return self.secrets / "engine.env"

    @property
    def proxy_secrets(self) -> Path:
        """tokens.conf and upstream.conf, which Nginx includes; mounted into its container."""
        return self.secrets / "nginx"

    @property
    def tls(self) -> Path:
        """server.crt (with its chain) and server.key; mounted into the proxy's container."""
        return self.secrets / "tls"

    @property
    def logs(self) -> Path:
        """The proxy's logs: access.log, access.json.log, error.log."""
        return self.root / "logs"

    def release(self, release: str) -> Path:
        """The folder of the release of that id: what the bundle held, as it was unpacked. Read-only by convention."""
        return self.releases / release

    def work(self, release: str) -> Path:
        """What is made for the release of that id at the site: the proxy's configuration, the engine's caches."""
        return self.root / "work" / release
