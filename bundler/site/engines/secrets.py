"""The env file of a container: ``NAME=value`` lines that only its owner may read."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from bundler.disk import guarded
from bundler.errors import MachineError

_LARGEST: Final = 64 << 10
_LINE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=([^\0\r\n]*)")


def read_env_file(path: Path) -> tuple[tuple[str, str], ...]:
    """The variables. Raises: MachineError when it cannot be read, others may read it, or a line is no variable."""
    with guarded(path, "read"), os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        data = file.read(_LARGEST + 1)
    if stat.S_IMODE(mode) & 0o077:
        raise MachineError(f"{path}: others may read it (mode {stat.S_IMODE(mode):04o})", hint=f"chmod 600 {path}")
    if len(data) > _LARGEST:
        raise MachineError(f"{path}: larger than {_LARGEST:,} bytes")
    found = []
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match or not match[2].isprintable():
            # The line itself may hold a secret.
            raise MachineError(f"{path}: line {number}: expected NAME=value")
        found.append((match[1], match[2]))
    return tuple(found)
