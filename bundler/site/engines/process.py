"""Running an engine's program: no shell, bounded output and time, its own words in the error.

Rules: arguments hold no secret; the program inherits the environment but its language, so that its words are those
that we know.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from bundler.errors import EngineError, MachineError
from bundler.site.engines.words import refused

_LARGEST: Final = 8 << 20
_SECONDS: Final = 120
_STALLED: Final = 600


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended; of its output the first 8 MiB."""

    status: int
    out: bytes
    err: bytes


@dataclass(frozen=True, slots=True)
class Program:
    """An engine's command line: ``name`` for people, ``command`` the program with the options before all others."""

    name: str
    command: tuple[str, ...]

    def run(
        self,
        args: Sequence[str],
        doing: str,
        *,
        seconds: float = _SECONDS,
        body: Iterable[bytes] | None = None,
        folder: Path | None = None,
    ) -> bytes:
        """What it writes to standard output, given ``body`` to read. Raises: EngineError when it fails."""
        done = self.ask(args, doing, seconds=seconds, body=body, folder=folder)
        if done.status:
            raise refused(self.name, doing, done.err or done.out or f"exit status {done.status}")
        return done.out

    def ask(
        self,
        args: Sequence[str],
        doing: str,
        *,
        seconds: float = _SECONDS,
        body: Iterable[bytes] | None = None,
        folder: Path | None = None,
    ) -> Done:
        """How it ended. Raises: MachineError when it is not there; EngineError when it does not end in time."""
        if shutil.which(self.command[0]) is None:
            hint = f"Install it, or choose another engine. Looked for {self.command[0]} in PATH."
            raise MachineError(f"{self.name}: the program is not there", hint=hint)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            status = self._wait(args, doing, (out, err), seconds, body, folder)
            return Done(status, _start(out), _start(err))

    def _wait(
        self,
        args: Sequence[str],
        doing: str,
        files: tuple[IO[bytes], IO[bytes]],
        seconds: float,
        body: Iterable[bytes] | None,
        folder: Path | None,
    ) -> int:
        source = subprocess.DEVNULL if body is None else subprocess.PIPE
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            process = subprocess.Popen(
                [*self.command, *args], stdin=source, stdout=files[0], stderr=files[1], env=environment, cwd=folder
            )
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise MachineError(f"{self.name}: {self.command[0]} cannot be run: {reason}") from error
        with process:
            try:
                if body is not None and process.stdin is not None:
                    _feed(process.stdin, body)
                return process.wait(seconds)
            except subprocess.TimeoutExpired as error:
                raise EngineError(f"{self.name}: {doing}: not done after {seconds:g} s; it was stopped") from error
            finally:
                process.kill()


def _feed(pipe: IO[bytes], body: Iterable[bytes]) -> None:
    """Write all of ``body``; a program that ends early has said why."""
    descriptor = pipe.fileno()
    os.set_blocking(descriptor, False)
    try:
        for piece in body:
            left = memoryview(piece)
            while left:
                if not select.select([], [descriptor], [], _STALLED)[1]:
                    raise subprocess.TimeoutExpired("", _STALLED)
                left = left[os.write(descriptor, left) :]
    except BrokenPipeError:
        pass
    finally:
        pipe.close()


def _start(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_LARGEST)
