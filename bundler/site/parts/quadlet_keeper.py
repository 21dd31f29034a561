"""systemd keeps the containers, by units that Podman's Quadlet makes of ours: root's are the machine's.

Rules: a unit file without our mark is not ours, and is neither replaced nor removed. A unit is read before it is
started or stopped, since whoever was killed may have left systemd with an older one.
"""

from __future__ import annotations

import os
import pwd
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_folder, is_there, read_bounded, sync_folder, write_whole
from bundler.errors import EngineError, MachineError
from bundler.progress import SILENT, Progress
from bundler.serving.container import ContainerSpec
from bundler.serving.quadlet import container_unit
from bundler.site.engines.interface import Engine
from bundler.site.engines.process import Program
from bundler.site.engines.words import clean
from bundler.site.parts.keeper import RUNNING, mark_of, with_mark

MARK: Final = "# Written by llm-bundle"
LINGER: Final = Path("/var/lib/systemd/linger")

_HEAD: Final = f"{MARK}. Changes by hand are lost with the next install.\n"
_SINCE: Final = (4, 6)
_MOST: Final = 1 << 20
_STARTING: Final = 960
_MARGIN: Final = 60
_OTHERWISE: Final = "Or let Podman itself keep them: --keeper engine"


@dataclass(frozen=True, slots=True)
class QuadletKeeper:
    """Units in ``folder``, known to systemd by ``command``; ``running`` is there while systemd runs."""

    engine: Engine
    folder: Path
    command: tuple[str, ...]
    running: Path = RUNNING
    linger: Path | None = None

    @classmethod
    def here(cls, engine: Engine) -> QuadletKeeper:
        """That of this user: root's units are the machine's. Raises: MachineError for a user without a name."""
        if os.geteuid() == 0:
            return cls(engine, Path("/etc/containers/systemd"), ("systemctl",))
        try:
            user = pwd.getpwuid(os.geteuid())
        except KeyError as error:
            raise MachineError(f"systemd: no user has the number {os.geteuid()}", hint=_OTHERWISE) from error
        home = os.environ.get("XDG_CONFIG_HOME") or f"{user.pw_dir}/.config"
        return cls(engine, Path(home) / "containers/systemd", ("systemctl", "--user"), linger=LINGER / user.pw_name)

    def require(self, progress: Progress = SILENT) -> None:
        """See ``Keeper.require``."""
        if not is_folder(self.running):
            raise MachineError("systemd: it does not run on this machine", hint=_OTHERWISE)
        version = self.engine.info().version
        found = re.match(r"([0-9]{1,4})\.([0-9]{1,4})", version)
        if found is None or (int(found[1]), int(found[2])) < _SINCE:
            text = f"Quadlet: expected Podman 4.6 or newer, found {clean(version)[:40]}"
            raise MachineError(text, hint=f"Install a newer one. {_OTHERWISE}")
        if self.linger and not is_there(self.linger):
            hint = f"loginctl enable-linger {self.linger.name}"
            raise MachineError("systemd: this user's services end when the user logs out", hint=hint)

    def start(self, spec: ContainerSpec) -> None:
        """See ``Keeper.start``."""
        text = _HEAD + container_unit(with_mark(spec), f"llm-bundle: {spec.name}")
        path = self._path(spec.name)
        self._require_ours(path)
        found = self.engine.inspect(spec.name)
        if found and found.running and found.spec == mark_of(spec) and self._holds(path, text):
            return
        with guarded(self.folder, "make"):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
        sync_folder(self.folder)
        self._systemd(f"starting {spec.name}", "daemon-reload")
        self._systemd(f"starting {spec.name}", "restart", f"{spec.name}.service", seconds=_STARTING)

    def stop(self, name: str, timeout: int) -> None:
        """See ``Keeper.stop``."""
        path = self._path(name)
        self._require_ours(path)
        if is_there(path):
            self._systemd(f"stopping {name}", "daemon-reload")
            self._systemd(f"stopping {name}", "stop", f"{name}.service", seconds=timeout + _MARGIN)
            with guarded(path, "remove"):
                path.unlink()
            sync_folder(self.folder)
            self._systemd(f"stopping {name}", "daemon-reload")
        self.engine.stop(name, timeout)
        self.engine.remove(name)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.container"

    def _holds(self, path: Path, text: str) -> bool:
        return is_there(path) and read_bounded(path, _MOST) == text.encode()

    def _require_ours(self, path: Path) -> None:
        if is_there(path) and not read_bounded(path, _MOST).startswith(MARK.encode()):
            hint = "It is left as it is. Move it away, and run the same command again."
            raise EngineError(f"{path}: was not written by llm-bundle", hint=hint)

    def _systemd(self, doing: str, *args: str, seconds: float = 120) -> None:
        try:
            Program("systemd", self.command).run(args, doing, seconds=seconds)
        except EngineError as error:
            user = " --user" if "--user" in self.command else ""
            hint = f"See why: journalctl{user} -u {args[-1]}" if args[1:] else ""
            raise EngineError(error.message, hint=hint) from error
