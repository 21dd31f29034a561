"""What was made once is kept in the user's cache, so that the second lock or build takes no time for it.

Rules: a file bears the digest of its content in its name and is believed only when that fits. A cache that cannot be
read or written is no error: the tool is made again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bundler.digest import Digest
from bundler.disk import read_bounded, write_whole
from bundler.errors import MachineError
from bundler.tool.carried import Carried

MAX_BYTES: Final = 64 << 20
_KEPT: Final = 4


def cached(carried: Carried, make: Callable[[Carried], bytes]) -> bytes:
    """What ``make`` makes of ``carried``, from the cache if it was made before. Raises: what ``make`` raises."""
    folder = _folder()
    if folder is None:
        return make(carried)
    key = _key(carried)
    for path in _written(folder, f"{key}-*.pex"):
        data = _read(path)
        if data is not None and path.stem == f"{key}-{Digest.of(data).hex}":
            return data
    data = make(carried)
    _keep(folder, f"{key}-{Digest.of(data).hex}.pex", data)
    return data


def _folder() -> Path | None:
    """``$XDG_CACHE_HOME/llm-bundle`` (XDG base directory specification); None where the user has no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if base.startswith("/"):
        return Path(base) / "llm-bundle"
    try:
        return Path.home() / ".cache" / "llm-bundle"
    except RuntimeError:
        return None


def _key(carried: Carried) -> str:
    """Every file as it lies on this disk: whenever one is written, the key is another."""
    return hashlib.sha256(repr(carried).encode()).hexdigest()[:32]


def _written(folder: Path, pattern: str) -> list[Path]:
    """The newest first."""
    try:
        return sorted(folder.glob(pattern), key=lambda path: -path.stat().st_mtime)
    except OSError:
        return []


def _read(path: Path) -> bytes | None:
    try:
        return read_bounded(path, MAX_BYTES)
    except MachineError:
        return None


def _keep(folder: Path, name: str, data: bytes) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(folder / name, data, 0o600)
        for old in _written(folder, "*.pex")[_KEPT:]:
            old.unlink(missing_ok=True)
    except (OSError, MachineError):
        return
