"""``lms``, LM Studio's command line: run as LM Studio's user, bounded in time and output, its words made fit to show.

Rules: no shell; nothing it prints is believed to be JSON before it was read as such; arguments hold no secret. Its
output goes to files, not pipes: the daemon that it starts would hold a pipe open for ever.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from bundler.errors import EngineError, MachineError
from bundler.site.engines.words import clean, refused
from bundler.site.lmstudio.account import Account, lmstudio_home

NAME: Final = "LM Studio"
_LARGEST: Final = 4 << 20
_SECONDS: Final = 60.0
_MISSING: Final = "Install LM Studio or its headless llmster (llm-bundle never brings it), or name it: --lms PATH"


@dataclass(frozen=True, slots=True)
class Said:
    """How ``lms`` ended, and what it wrote, at most 4 MiB of each."""

    status: int
    out: bytes
    err: bytes

    @property
    def words(self) -> str:
        """Its own words for a person: on one line, without colours."""
        return clean(self.err.strip() or self.out)


@dataclass(frozen=True, slots=True)
class Lms:
    """``program`` is its path; ``who`` the user that runs it."""

    program: str
    who: Account

    def run(self, args: Sequence[str], doing: str, *, seconds: float = _SECONDS) -> bytes:
        """What it writes to standard output. Raises: EngineError when it fails or hangs; MachineError."""
        said = self.ask(args, doing, seconds=seconds)
        if said.status:
            raise refused(NAME, doing, said.words or f"lms ended with {said.status}")
        return said.out

    def rows(self, args: Sequence[str], doing: str) -> list[dict[str, Any]]:
        """The objects of the list that it prints with ``--json``. Raises: as ``run``; EngineError for other output."""
        out = self.run(args, doing)
        document = _json(out)
        if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
            hint = f"See what is wrong: {' '.join(('lms', *args))}. Perhaps this lms is too old."
            raise EngineError(f"{NAME}: {doing}: expected a list in JSON, found {clean(out)[:200]!r}", hint=hint)
        return document

    def ask(self, args: Sequence[str], doing: str, *, seconds: float = _SECONDS) -> Said:
        """How it ended. Raises: MachineError when it cannot be run; EngineError when it hangs."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            status = self._wait(args, doing, (out, err), seconds)
            return Said(status, _start(out), _start(err))

    def _wait(self, args: Sequence[str], doing: str, files: tuple[IO[bytes], IO[bytes]], seconds: float) -> int:
        try:
            process = self._popen(args, files)
        except (OSError, subprocess.SubprocessError) as error:
            reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
            raise MachineError(f"{NAME}: {self.program} cannot be run as {self.who.name}: {reason}") from error
        with process:
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired as error:
                hint = f"Try it by hand as {self.who.name}: {' '.join(('lms', *args))}"
                raise EngineError(f"{NAME}: {doing}: lms did not end after {seconds:g} s", hint=hint) from error
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def _popen(self, args: Sequence[str], files: tuple[IO[bytes], IO[bytes]]) -> subprocess.Popen[bytes]:
        who = self.who
        return subprocess.Popen(
            [self.program, *args],
            stdin=subprocess.DEVNULL,
            stdout=files[0],
            stderr=files[1],
            env=dict(who.environment),
            cwd=who.home,
            user=who.uid if who.switch else None,
            group=who.gid if who.switch else None,
            extra_groups=os.getgrouplist(who.name, who.gid) if who.switch else None,
            start_new_session=True,
        )


def find_lms(command: str, who: Account) -> Lms:
    """``lms`` as a path, from PATH, or from LM Studio's own folder. Raises: MachineError when it is not there."""
    found = shutil.which(command, path=who.environment.get("PATH"))
    if found is None and "/" not in command:
        found = shutil.which(str(lmstudio_home(who) / "bin" / command))
    if found is None:
        raise MachineError(f"{NAME}: the program {command} is not there (user {who.name})", hint=_MISSING)
    return Lms(str(Path(found).absolute()), who)


def _json(data: bytes) -> object:
    """What stands there as JSON, None where none does. Warnings may stand before it: the last line counts too."""
    lines = data.strip().splitlines()
    for text in (data, lines[-1] if lines else b""):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            continue
    return None


def _start(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_LARGEST)
