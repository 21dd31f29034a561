"""Telling the proxy that its tokens changed. Streams that run go on: Nginx's old workers end with the last of them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import Protocol

from bundler.errors import EngineError, MachineError

_TOKEN_LIKE = re.compile(r"[A-Za-z0-9_-]{32,}")


class Reload(Protocol):
    """Makes the proxy read its configuration anew. Raises: BundleError when it does not."""

    def __call__(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CommandReload:
    """A reload by a program, run without a shell; ``seconds`` is how long it may take."""

    command: tuple[str, ...]
    seconds: float = 60.0

    def __call__(self) -> None:
        """Raises: MachineError when the program cannot be run; EngineError when it fails or hangs."""
        name = self.command[0]
        try:
            done = subprocess.run(self.command, stdin=subprocess.DEVNULL, capture_output=True, timeout=self.seconds)
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"{name}: did not end within {self.seconds:.0f} s", hint=_HINT) from error
        except OSError as error:
            raise MachineError(f"{name}: cannot be run: {error.strerror}", hint=_HINT) from error
        if done.returncode:
            said = _said(done.stderr or done.stdout)
            raise EngineError(f"{name}: exit code {done.returncode}{f': {said}' if said else ''}", hint=_HINT)


def _said(output: bytes) -> str:
    """The end of what the program said, in one line, without anything that could be a token."""
    text = " ".join(output[-2000:].decode(errors="replace").split())
    return _TOKEN_LIKE.sub("…", text)[-300:]


_HINT = "Check the proxy by hand (nginx -t says what is wrong with its configuration), then reload it."
