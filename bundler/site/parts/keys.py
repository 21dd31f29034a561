"""The engine's own key: made once at the site, known to the engine and its proxy alone.

``secrets/engine.env`` holds it as the engine's container takes it (0600, never given away: whoever starts containers
reads it), ``secrets/nginx/upstream.conf`` as Nginx sends it on. No message shows it.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from bundler.disk import is_there, read_bounded, sync_folder, write_whole
from bundler.errors import MachineError, UsageError
from bundler.serving.nginx.tokens import SECRET, upstream_key
from bundler.site.engines.secrets import read_env_file
from bundler.site.parts.folders import make_folder, write_if_new
from bundler.site.place import Place

VARIABLE: Final = "VLLM_API_KEY"
_MOST: Final = 4096


def engine_key(place: Place) -> str:
    """The key of the engines of this place, made where there is none. Raises: MachineError."""
    path = place.engine_env
    if not is_there(path):
        _write(place, secrets.token_urlsafe(32))
    found = dict(read_env_file(path)).get(VARIABLE, "")
    if not SECRET.fullmatch(found):
        hint = "Write one there, or move the file away: then the next command makes a new one."
        expected = f"{VARIABLE}= and 16 to 128 of A-Z, a-z, 0-9, - and _"
        raise MachineError(f"{path}: expected a line {expected}", hint=hint)
    return found


def take_engine_key(place: Place, file: Path, *, serving: bool) -> None:
    """Let the engines of this place have the key that is the first line of ``file``, as those of other hosts have.

    Raises: UsageError when they have another one and something is ``serving`` with it; MachineError.
    """
    key = read_bounded(file, _MOST).partition(b"\n")[0].decode(errors="replace").strip()
    if not SECRET.fullmatch(key):
        raise UsageError(f"{file}: expected 16 to 128 of A-Z, a-z, 0-9, - and _ in the first line")
    if is_there(place.engine_env) and dict(read_env_file(place.engine_env)).get(VARIABLE) == key:
        return
    if serving:
        hint = "Running engines have their key for good: uninstall, and install with the new one."
        raise UsageError("--engine-key-file: another key than that of the engine that serves", hint=hint)
    _write(place, key)


def write_upstream_key(place: Place) -> bool:
    """Write what Nginx includes of the key; whether it has changed. ``hand_over`` follows. Raises: MachineError."""
    return write_if_new(place.proxy_secrets / "upstream.conf", upstream_key(engine_key(place)), 0o600)


def _write(place: Place, key: str) -> None:
    make_folder(place.secrets, 0o700)
    head = "# Written by llm-bundle: the engine's key, which the proxy alone sends.\n"
    write_whole(place.engine_env, f"{head}{VARIABLE}={key}\n".encode(), 0o600)
    sync_folder(place.secrets)
