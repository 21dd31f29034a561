"""The file by which the host's logrotate turns over the proxy's logs.

Rules: it lies where logrotate looks only for the usual installation, for there is one such place; others find it in
their ``work`` folder. A foreign or edited file there is left alone: somebody turns the logs over in their own way.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bundler.disk import is_folder
from bundler.site.nginx.seal import look, put, seal, tidy
from bundler.site.parts.folders import write_if_new
from bundler.site.parts.host_nginx import ROTATION
from bundler.site.place import DEFAULT, Place


@dataclass(frozen=True, slots=True)
class Rotation:
    """That of ``release``: ``kept`` is the file below the place, ``used`` the one that logrotate reads, if any."""

    release: str
    kept: Path
    used: Path | None

    @classmethod
    def of(cls, place: Place, release: str) -> Rotation:
        """The usual one."""
        used = ROTATION if place.root == DEFAULT and os.geteuid() == 0 else None
        return cls(release, place.work(release) / "llm-bundle.logrotate", used)

    def write(self, text: str) -> None:
        """Keep it below the place. Raises: MachineError."""
        write_if_new(self.kept, text, 0o644)

    def put(self) -> None:
        """Let logrotate read it. Raises: MachineError."""
        if self.used and is_folder(self.used.parent):
            found = look(self.used)
            if found.kind in ("absent", "ours"):
                put(found, seal(self.release, self.kept.read_text(encoding="utf-8")))

    def take(self) -> None:
        """Take it away from there, if it is still this release's. Raises: MachineError."""
        if self.used and is_folder(self.used.parent):
            found = look(self.used)
            if found.kind == "ours" and found.release == self.release:
                put(found, None)
            tidy(self.used)
