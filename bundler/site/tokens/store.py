"""The tokens on disk, below ``<root>/secrets``: 0700 for folders, 0600 for files, nobody else's links followed.

``secrets/tokens.json`` is what is so; ``secrets/nginx/tokens.conf``, which Nginx includes, follows from it. The folder
``secrets/nginx`` holds only what Nginx needs, so that it can be mounted into a container: a folder and not a file,
because a file that is replaced would stay the old one inside. One process at a time changes them.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bundler.disk import disk_error, guarded, is_there, owner_of, read_bounded, sync_folder, write_whole
from bundler.errors import MachineError
from bundler.serving.nginx.tokens import token_map
from bundler.site.tokens.model import MAX_BYTES, Token, decode, encode

PATIENCE: Final = 10.0
"""Seconds to wait for another command that changes the tokens."""


class TokenStore:
    """The tokens of the site at ``root``. Use ``locked()`` around reading and writing."""

    def __init__(self, root: Path) -> None:
        self._secrets = root / "secrets"
        self.path = self._secrets / "tokens.json"
        self.include = self._secrets / "nginx" / "tokens.conf"

    @contextmanager
    def locked(self, *, create: bool = False, patience: float = PATIENCE) -> Iterator[None]:
        """Keep every other process out; only with ``create`` the folders are made.

        Raises: MachineError, also when another process takes longer than ``patience`` seconds.
        """
        if not create and not is_there(self._secrets):
            hint = "Name the folder of the installation with --root, or make a first token: llm-bundle token new"
            raise MachineError(f"{self._secrets}: is not there: no tokens were made at this place", hint=hint)
        _private_folder(self._secrets)
        _private_folder(self.include.parent, given_away=os.geteuid() == 0)
        path = self._secrets / "tokens.lock"
        with guarded(path, "lock"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, path, patience)
            yield
        finally:
            os.close(descriptor)

    def read(self) -> tuple[Token, ...]:
        """All tokens, those that ended too. Raises: MachineError."""
        if not is_there(self.path):
            return ()
        _require_private(self.path)
        return decode(read_bounded(self.path, MAX_BYTES), where=str(self.path))

    def write(self, tokens: Iterable[Token], *, less: bool = False) -> bool:
        """Write both files; whether either has changed, so that Nginx has to be told. Raises: MachineError.

        The list comes first, so that nobody is let in who does not stand there. With ``less``, where some are to be
        shut out, it comes last: whoever is stopped in between finds them there, and can say the same again.
        """
        tokens = tuple(tokens)
        text = token_map(token.for_proxy() for token in tokens).encode()
        files = {self.path: encode(tokens), self.include: text}
        changed = [path for path in files if not _holds(path, files[path])]
        for path in reversed(changed) if less else changed:
            _write(path, files[path])
        return bool(changed)


def _holds(path: Path, data: bytes) -> bool:
    if not is_there(path):
        return False
    _require_private(path)
    return read_bounded(path, MAX_BYTES) == data


def _write(path: Path, data: bytes) -> None:
    # The container that includes it runs as another user, to whom ``install`` has given the folder.
    write_whole(path, data, 0o600, owner=owner_of(path.parent))
    sync_folder(path.parent)


def _private_folder(folder: Path, *, given_away: bool = False) -> None:
    """Make it, or make it private. ``given_away``: root may have given it to the user of a container."""
    with guarded(folder, "make"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or (found.st_uid != os.geteuid() and not given_away):
        raise MachineError(
            f"{folder}: expected a folder of this user, found a link or another user's",
            hint="Run as the user who installed, or look who put it there.",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        with guarded(folder, "make private"):
            folder.chmod(0o700)


def _require_private(path: Path) -> None:
    with guarded(path, "look at"):
        found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise MachineError(f"{path}: expected a file, found a link or something else", hint="Move it away.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise MachineError(
            f"{path}: others than its owner may read it, and it holds tokens (mode {stat.S_IMODE(found.st_mode):04o})",
            hint=f"chmod 600 {path}, then replace each token: llm-bundle token rotate LABEL",
        )


def _lock(descriptor: int, path: Path, patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                text = f"{path}: another command is changing the tokens"
                raise MachineError(text, hint="Wait for it, then call this again.") from None
        except OSError as error:
            raise disk_error(error, path, "lock") from error
        time.sleep(0.05)
