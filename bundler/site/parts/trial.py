"""A container that runs to its end, for its exit status."""

from __future__ import annotations

import re
import time
from typing import Final

from bundler.errors import EngineError
from bundler.serving.container import ContainerSpec
from bundler.site.engines.interface import ContainerState, Engine
from bundler.site.engines.words import clean

_SECONDS: Final = 60.0
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32,}")
_HINT: Final = "Nothing was stopped. A word that it does not know may mean that the image holds another program."


def require_success(engine: Engine, spec: ContainerSpec, complaint: str) -> None:
    """Run ``spec`` to its end, and remove it. Raises: EngineError, with its last words, when it fails or hangs.

    What an earlier run left under its name, when it was killed, is removed first.
    """
    engine.remove(spec.name)
    try:
        engine.run(spec)
        state = _ended(engine, spec.name)
        words = engine.logs(spec.name, 20)
    finally:
        engine.remove(spec.name)
    if state is None or state.running:
        raise EngineError(f"{complaint}: not done after {_SECONDS:.0f} s", hint=_HINT)
    if state.exit_code:
        raise EngineError(f"{complaint}: {_said(words) or f'exit status {state.exit_code}'}", hint=_HINT)


def _ended(engine: Engine, name: str) -> ContainerState | None:
    """How it ended, or how it is after a minute."""
    until = time.monotonic() + _SECONDS
    while (state := engine.inspect(name)) is not None and state.status != "exited" and time.monotonic() < until:
        time.sleep(0.05)
    return state


def _said(words: str) -> str:
    """The lines that name a fault, without anything that could be a token."""
    lines = [line for line in words.splitlines() if "[emerg]" in line] or words.splitlines()[-3:]
    return clean(_SECRET.sub("…", " ".join(lines)))
