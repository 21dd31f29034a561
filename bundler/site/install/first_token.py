"""The first token, for Kibana: made with the first installation, and lying in a file before that serves.

Rules: whoever was interrupted finds the same token again, and the same file is no obstacle then. Where there are
tokens for others already, or something has served before, none is made.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from bundler.disk import is_folder, is_there, read_bounded, sync_folder, write_whole
from bundler.errors import MachineError
from bundler.site.place import Place
from bundler.site.state import State
from bundler.site.tokens import change
from bundler.site.tokens.store import TokenStore

FIRST_LABEL: Final = "kibana"
CHECK_LABEL: Final = "install-check"
_MOST: Final = 4096


def first_token_file(place: Place, state: State, wanted: Path | None) -> Path | None:
    """Where the first token goes, ``wanted`` or below ``secrets``; None where none is needed.

    Raises: MachineError when something else is there.
    """
    if state.current is not None or not _only_ours(place):
        return None
    path = (wanted or place.secrets / f"{FIRST_LABEL}.token").absolute()
    if wanted is not None and is_there(path) and not _holds(path, _secret(place)):
        raise MachineError(f"{path}: is there already", hint="Name a new file for the first token: --token-file FILE")
    if wanted is not None and not is_folder(path.parent):
        raise MachineError(
            f"{path.parent}: there is no such folder", hint="Make it, or name another file: --token-file FILE"
        )
    return path


def write_first_token(place: Place, path: Path) -> None:
    """Make the token where there is none yet, and write it to ``path``, 0600. Raises: MachineError."""
    secret = _secret(place)
    if secret is None:
        secret = change.fresh()
        change.new(TokenStore(place.root), FIRST_LABEL, secret=secret)
    if not is_there(path) or not _holds(path, secret):
        write_whole(path, f"{secret}\n".encode(), 0o600)
        sync_folder(path.parent)


def _only_ours(place: Place) -> bool:
    store = TokenStore(place.root)
    with store.locked(create=True):
        return all(token.label in (CHECK_LABEL, FIRST_LABEL) for token in store.read())


def _secret(place: Place) -> str | None:
    store = TokenStore(place.root)
    now = time.time()
    with store.locked():
        mine = (token for token in store.read() if token.label == FIRST_LABEL and not token.replaced)
        return next((token.secret for token in mine if token.lives(now)), None)


def _holds(path: Path, secret: str | None) -> bool:
    return secret is not None and read_bounded(path, _MOST) == f"{secret}\n".encode()
