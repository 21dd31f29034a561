"""The service goes from one release to another, and back when the other does not answer.

Rules: nothing of the old release is touched before the new one is prepared. The old engine stops first, for two rarely
fit into the GPUs; the old proxy goes on meanwhile and tells clients, as JSON, to come again. Only a real chat
completion through the new proxy makes the new release the one that serves. Whatever goes wrong before, an interrupt
too, leads back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bundler.disk import write_whole
from bundler.errors import BundleError, EngineError
from bundler.progress import Progress
from bundler.site.install.signals import held_back
from bundler.site.parts.interface import Part, Parts, PartState

_CRASHES: Final = 3
"""So many new starts while it is waited for mean that it will not come up."""

PROXY_PATIENCE: Final = 120.0
"""Seconds. Nginx loads no model: it is there at once, or something is in its way."""

_LOG_LINES: Final = 10_000

Check = Callable[[Parts], None]


def switch(old: Parts | None, new: Parts, check: Check, patience: float, progress: Progress, *, log: Path) -> None:
    """Stop ``old``, start ``new``, and come back to ``old`` unless ``check`` is content. ``patience`` in seconds.

    Raises: EngineError, with what the new release said, when it had to come back; all of it is in ``log`` then.
    """
    try:
        if old:
            old.engine.stop()
        bring_up(new.engine, patience, progress)
        if old and old.proxy:
            old.proxy.stop()
        if new.proxy:
            bring_up(new.proxy, min(patience, PROXY_PATIENCE), progress)
        progress.say("asking it for a chat completion …")
        check(new)
    except BaseException as error:
        with held_back(progress.say):
            if isinstance(error, EngineError):
                _keep_log(new.engine, error, log)
            _back(old, new, error, progress)
        raise


def bring_up(part: Part, patience: float, progress: Progress) -> None:
    """Start it, and wait until it is healthy. Raises: EngineError, with its last words, when it does not come up."""
    part.start()
    began = said = time.monotonic()
    starts: set[str] = set()
    while True:
        state = part.state()
        if state.running and state.healthy:
            return
        starts.add(state.since)
        waited = time.monotonic() - began
        if waited > patience or len(starts) > _CRASHES or (not state.running and waited > 5):
            raise _not_up(part, state, waited)
        if time.monotonic() - said > 15:
            said = time.monotonic()
            why = f": {state.detail}" if state.detail else ""
            progress.say(f"waiting for the {part.name} ({waited:.0f} s of at most {patience:.0f} s) …{why}")
        time.sleep(0.2 if waited < 5 else 1)


def _not_up(part: Part, state: PartState, waited: float) -> EngineError:
    how = "does not run" if not state.running else "is not healthy"
    text = f"the {part.name} {how} after {waited:.0f} s{f': {state.detail}' if state.detail else ''}"
    return EngineError(f"{text}{last_words(part)}", hint=LOOK if part.name == "engine" else _BARRED)


def last_words(part: Part) -> str:
    """The end of what ``part`` has said, to stand behind a sentence; empty where nothing can be had."""
    try:
        lines = part.logs(20).splitlines()[-12:]
    except BundleError:
        return ""
    return ". Its last words:" + "".join(f"\n    {line[:300]}" for line in lines) if lines else ""


def _keep_log(engine: Part, error: EngineError, log: Path) -> None:
    """Keep what ``engine`` said, for its container goes; without that the error is the same."""
    try:
        write_whole(log, engine.logs(_LOG_LINES).encode("utf-8", "replace"), 0o600)
    except BundleError:
        return
    error.hint = f"All that the engine said is in {log}. {error.hint}".rstrip()


def _back(old: Parts | None, new: Parts, error: BaseException, progress: Progress) -> None:
    """Back to ``old``; what fails on the way is said, and does not hide why we go back."""
    progress.say("it did not come up: back to the release before" if old else "it did not come up: stopping it again")
    for part in reversed(new.all):
        _try(part.stop, f"stopping the new {part.name}", progress)
    if old is None:
        return
    started = [_try(part.start, f"starting the old {part.name}", progress) for part in old.all]
    if isinstance(error, BundleError):
        error.hint = f"{_SERVES if all(started) else _FALLEN} {error.hint}".rstrip()


def _try(deed: Callable[[], None], what: str, progress: Progress) -> bool:
    try:
        deed()
    except BundleError as error:
        progress.say(f"warning: {what}: {error.message}")
        return False
    return True


_SERVES: Final = "The release before serves again."
_FALLEN: Final = (
    "The release before does not serve again either; the warning above says why. Mend that, then run the same command "
    "again: it begins with the release before."
)
_BARRED: Final = (
    "logs/error.log below the root may say why; or a firewall of this host, or a network namespace that this command "
    "runs in, keeps it from the port."
)
LOOK: Final = "`llm-bundle doctor` looks at GPUs, driver and memory."
