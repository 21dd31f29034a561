"""The user that LM Studio runs as, and where that user's LM Studio keeps its things.

Rules: another user than our own only as root; that user's environment is made anew, so that nothing of root's, a
token among it, reaches LM Studio. What the user wrote (pointer, settings) is read bounded, and a models folder that
is not that user's own is refused: root would put files wherever the user pointed to.
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_folder, read_bounded
from bundler.errors import MachineError

_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_POINTER: Final = ".lmstudio-home-pointer"
_MOST: Final = 1 << 20
_START: Final = "Install LM Studio (or its headless llmster) as that user, and start it once."


@dataclass(frozen=True, slots=True)
class Account:
    """A user; ``switch``: it is another one than ours, and programs must be started as it."""

    name: str
    uid: int
    gid: int
    home: Path
    switch: bool

    @property
    def environment(self) -> Mapping[str, str]:
        """What its programs get: no colours, English, its own home."""
        base = {"PATH": _PATH} if self.switch else dict(os.environ)
        own = {"HOME": str(self.home), "USER": self.name, "LOGNAME": self.name}
        return {**base, **own, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb"}


def account(wanted: str | None) -> Account:
    """The user ``wanted``, or our own. Raises: MachineError when there is none, or we may not act as it."""
    ours = os.geteuid()
    try:
        entry = pwd.getpwnam(wanted) if wanted is not None else pwd.getpwuid(ours)
    except (KeyError, ValueError):
        who = wanted if wanted is not None else f"number {ours}"
        raise MachineError(f"LM Studio: there is no user {who!r} here", hint="Check --lmstudio-user.") from None
    if entry.pw_uid != ours and ours != 0:
        hint = f"Run as root, or as {entry.pw_name}."
        raise MachineError(f"LM Studio: it belongs to {entry.pw_name}, and this is another user", hint=hint)
    switch = entry.pw_uid != ours
    home = entry.pw_dir if switch else os.environ.get("HOME") or entry.pw_dir
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, Path(home), switch)


def lmstudio_home(who: Account) -> Path:
    """LM Studio's own folder, by its own rules: the pointer, ``~/.cache/lm-studio``, ``~/.lmstudio``.

    Raises: MachineError when LM Studio was never there.
    """
    pointer = who.home / _POINTER
    said = _text(pointer).decode("utf-8", "replace").strip()
    cache = who.home / ".cache" / "lm-studio"
    fallback = cache if is_folder(cache) else who.home / ".lmstudio"
    found = who.home / said if said and "\0" not in said else fallback
    if not is_folder(found):
        raise MachineError(f"LM Studio: {found} is not there (user {who.name})", hint=_START)
    return found


def models_folder(who: Account) -> Path:
    """Where its models lie: as its settings say, else ``models`` in its own folder; it need not be there.

    Raises: MachineError when it is another user's.
    """
    home = lmstudio_home(who)
    folder = _chosen(home) or home / "models"
    above = folder if is_folder(folder) else folder.parent
    with guarded(above, "look at"):
        owner = above.stat().st_uid
    if owner != who.uid:
        hint = f"chown {who.name} {above}, or choose LM Studio's models folder anew in its settings."
        raise MachineError(f"{above}: LM Studio's models folder does not belong to {who.name}", hint=hint)
    return folder


def _chosen(home: Path) -> Path | None:
    """``downloadsFolder`` of settings.json; as lms does, what cannot be read there is passed over."""
    settings = home / "settings.json"
    try:
        document = json.loads(_text(settings))
    except (ValueError, RecursionError):
        return None
    folder = document.get("downloadsFolder") if isinstance(document, dict) else None
    if not isinstance(folder, str) or not folder.startswith("/") or "\0" in folder:
        return None
    return Path(folder)


def _text(path: Path) -> bytes:
    """The small file ``path``; nothing where there is none, or a pipe, at which root would wait for ever."""
    with guarded(path, "look at"):
        return read_bounded(path, _MOST) if path.is_file() else b""
