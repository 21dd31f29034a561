"""state.json on disk: whole or not there, for its owner alone, no link followed. Use it inside ``holding``."""

from __future__ import annotations

import os
import re
import stat
from typing import Final

from bundler.disk import disk_error, guarded, sync_folder, write_whole
from bundler.errors import MachineError
from bundler.site.place import Place
from bundler.site.state import MAX_BYTES, State, decode

_LEFT: Final = re.compile(r"\.state\.json\.[0-9]+\.new")
"""What ``write_whole`` leaves when it is killed."""


class StateStore:
    """The state of the installation at ``place``."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def read(self) -> State:
        """The state; an empty one where nothing is installed. Raises: MachineError."""
        path = self._place.state
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return State()
        except OSError as error:
            raise disk_error(error, path, "read") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise MachineError(f"{path}: expected a file, found something else", hint="Move it away.")
        with os.fdopen(descriptor, "rb") as file, guarded(path, "read"):
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise MachineError(f"{path}: larger than the {MAX_BYTES:,} bytes that it can have", hint="Move it away.")
        return decode(data, where=str(path))

    def write(self, state: State) -> None:
        """Replace the state; it is on disk afterwards. Raises: MachineError, and the old one stays."""
        self.clear()
        write_whole(self._place.state, state.encode(), 0o600)
        sync_folder(self._place.root)

    def clear(self) -> None:
        """Remove what writes that were killed have left. Raises: MachineError."""
        with guarded(self._place.root, "tidy up"):
            for path in self._place.root.iterdir():
                if _LEFT.fullmatch(path.name):
                    path.unlink()
