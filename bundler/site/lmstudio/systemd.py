"""LM Studio's unit at systemd: written, enabled and started, stopped and disabled, taken away.

Rules: a unit file without our mark is not ours, and is neither replaced nor removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_folder, is_there, read_bounded, write_whole
from bundler.errors import EngineError, MachineError
from bundler.site.engines.process import Program

MARK: Final = "# Written by llm-bundle"
"""Every unit of ours begins with it."""

_HEAD: Final = f"{MARK}. Changes by hand are lost with the next install.\n"
_LARGEST: Final = 1 << 20
_SYSTEMCTL: Final = Program("systemd", ("systemctl",))
_MARGIN: Final = 150


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit ``name``; ``folder`` is where an administrator's units lie, ``run`` is there while systemd runs."""

    name: str
    folder: Path = Path("/etc/systemd/system")
    run: Path = Path("/run/systemd/system")

    @property
    def path(self) -> Path:
        """Its file."""
        return self.folder / self.name

    def start(self, text: str, *, seconds: float) -> None:
        """Write it, enable it and start it anew; ``seconds`` are those that loading may take.

        Raises: MachineError without systemd or rights; EngineError for a foreign file, or when it does not start.
        """
        if not is_folder(self.run):
            hint = "Let LM Studio be started by llm-bundle itself: choose the keeper engine."
            raise MachineError("systemd: it does not run on this machine", hint=hint)
        if is_there(self.path) and not self.is_ours():
            hint = "It is left as it is. Move it away, and run the same command again."
            raise EngineError(f"{self.path}: was not written by llm-bundle", hint=hint)
        write_whole(self.path, (_HEAD + text).encode())
        _SYSTEMCTL.run(("daemon-reload",), "reading the units")
        _SYSTEMCTL.run(("enable", self.name), f"enabling {self.name}")
        try:
            _SYSTEMCTL.run(("restart", self.name), f"starting {self.name}", seconds=seconds + _MARGIN)
        except EngineError as error:
            raise EngineError(error.message, hint=f"See why: journalctl -u {self.name}") from error

    def holds(self, text: str) -> bool:
        """Whether its file is as ``start`` would write it. Raises: MachineError."""
        return is_there(self.path) and read_bounded(self.path, _LARGEST) == (_HEAD + text).encode()

    def stop(self) -> None:
        """Stop it and keep it stopped, also over a boot. Raises: EngineError; MachineError."""
        if is_folder(self.run) and self.is_ours():
            _SYSTEMCTL.run(("disable", "--now", self.name), f"stopping {self.name}", seconds=_MARGIN)

    def remove(self) -> None:
        """Stop it, and remove its file. Raises: EngineError; MachineError."""
        if not self.is_ours():
            return
        self.stop()
        with guarded(self.path, "remove"):
            self.path.unlink()
        if is_folder(self.run):
            _SYSTEMCTL.run(("daemon-reload",), "reading the units")

    def is_ours(self) -> bool:
        """Whether its file is there and bears our mark. Raises: MachineError."""
        return is_there(self.path) and read_bounded(self.path, _LARGEST).startswith(MARK.encode())
