"""Files of ours among those of others, told apart by their first line.

Rules: it names the release, and the SHA-256 of that and of all that follows. A file without such a line is somebody
else's, one whose digest does not fit was edited since. Neither is ever replaced or removed, links least of all.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bundler.digest import Digest
from bundler.disk import disk_error, guarded, read_bounded, sync_folder, write_whole
from bundler.errors import MachineError
from bundler.serving.nginx.render import MARK

_MOST: Final = 4 << 20
_HEAD: Final = re.compile(re.escape(MARK).encode() + rb" for ([^\s,]{1,300}), sha256 ([0-9a-f]{64})\. [^\n]*\n")


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at a path: nothing, a file of ours for ``release``, one that was ours and was edited, another's."""

    path: Path
    kind: Literal["absent", "ours", "edited", "foreign"]
    release: str | None = None
    data: bytes | None = None

    def require_ours(self) -> Found:
        """Itself, where it may be replaced. Raises: MachineError where it may not."""
        if self.kind in ("absent", "ours"):
            return self
        why = "was edited after llm-bundle wrote it" if self.kind == "edited" else "was not written by llm-bundle"
        hint = f"Nothing was changed. Keep what you need of it and move it away, out of that folder: {self.path}"
        raise MachineError(f"{self.path}: {why}, and is left as it is", hint=hint)


def seal(release: str, text: str) -> bytes:
    """The bytes of a file of ours for ``release``; a first line with our mark that ``text`` has is replaced."""
    first, _, rest = text.partition("\n")
    body = (rest if first.startswith(MARK) else text).encode()
    return f"{MARK} for {release}, sha256 {_digest(release, body)}. Do not edit: it is judged by it.\n".encode() + body


def look(path: Path) -> Found:
    """What lies at ``path``. Raises: MachineError when that cannot be told."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return Found(path, "absent")
    except OSError as error:
        raise disk_error(error, path, "look at") from error
    if not stat.S_ISREG(mode):
        return Found(path, "foreign")
    data = read_bounded(path, _MOST)
    head = _HEAD.match(data)
    if head is None:
        return Found(path, "foreign")
    release = head[1].decode("utf-8", "replace")
    fits = _digest(release, data[head.end() :]) == head[2].decode()
    return Found(path, "ours" if fits else "edited", release, data)


def _digest(release: str, body: bytes) -> str:
    return Digest.of(f"{release}\n".encode() + body).hex


def put(found: Found, data: bytes | None) -> None:
    """Make ``data`` (None: nothing) of what ``found`` is; to be called after ``require_ours``. Raises: MachineError."""
    if data is None:
        with guarded(found.path, "remove"):
            found.path.unlink(missing_ok=True)
    else:
        write_whole(found.path, data)
    sync_folder(found.path.parent)


def tidy(path: Path) -> None:
    """Remove what writing ``path`` left when it was killed. Raises: MachineError."""
    left = re.compile(re.escape(f".{path.name}.") + r"[0-9]+\.new")
    with guarded(path.parent, "tidy up"):
        for other in list(path.parent.iterdir()) if path.parent.is_dir() else []:
            if left.fullmatch(other.name):
                other.unlink(missing_ok=True)
