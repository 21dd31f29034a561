"""A secret from the system's keyring, by the program ``keyring``: no library of ours, so nothing compiled is bundled.

Rules: it is asked as pip asks it (``--keyring-provider subprocess``): ``keyring get SERVICE NAME`` prints the secret;
exit code 1 without a word means that there is none. It gets no terminal and no standard input, for it would wait there
for a passphrase that nobody was asked for; a desktop may still ask in a window, until the time is over. What it prints
is bounded, and stands in no message; of its complaints the last line does, without anything that it had printed.
Source: the package keyring, its README ("Command-line Utility") and cli.py.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from typing import IO, Final

from kibana_assets.connection.login import LONGEST, one_line
from kibana_assets.connection.reasons import said
from kibana_assets.errors import MachineError, UsageError

PROGRAM: Final = "keyring"
API_KEY: Final = "api-key"
"""The name in the keyring of a secret that is no user's password."""
_SECONDS: Final = 60.0
_LAST: Final = 8192
_QUIET: Final = {"PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True, slots=True)
class _Answer:
    code: int
    printed: bytes
    complaint: str


def ask(service: str, name: str, *, seconds: float = _SECONDS) -> str:
    """The secret that the keyring has for ``name`` of ``service``. Raises: UsageError; MachineError."""
    for option, text in (("--keyring", service), ("--user", name)):
        if not text.isprintable() or not text or text.startswith("-"):
            hint = "As in --keyring llm-bundle; it must not begin with a hyphen."
            raise UsageError(f"{option}: expected a plain name for the keyring, found {text[:40]!r}", hint=hint)
    program = shutil.which(PROGRAM)
    if program is None:
        hint = "Install it: pip install keyring, or python3-keyring of Debian and Ubuntu; or use a file."
        raise MachineError(f"--keyring: there is no program {PROGRAM}", hint=hint)
    stored = f"{PROGRAM} set {shlex.quote(service)} {shlex.quote(name)}"
    return _secret(_asked([program, "get", service, name], seconds), service, name, stored)


def _secret(answer: _Answer, service: str, name: str, stored: str) -> str:
    if answer.code and not answer.complaint:
        raise UsageError(f"--keyring {service}: it has no entry {name}", hint=f"Store it: {stored}")
    if answer.code:
        raise MachineError(
            f"--keyring {service}: {PROGRAM} failed: {answer.complaint}",
            hint="Unlock the keyring, or choose another: keyring diagnose says where it looks. Or use a file.",
        )
    place = f"--keyring {service}: the entry {name}"
    return one_line(answer.printed, place, f"Only the secret, on one line. Store it anew: {stored}")


def _asked(command: list[str], seconds: float) -> _Answer:
    """Its answer. Raises: MachineError if it cannot be started, or is not done in time."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **_QUIET}, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        reason = error.strerror or "cannot be started"
        raise MachineError(f"--keyring: {command[0]}: {reason}", hint="Install it anew, or use a file.") from error
    with process:
        printed, complaint = _Reader(process.stdout), _Reader(process.stderr)
        try:
            code = process.wait(seconds)
            # Whoever it started may still hold its outputs.
            printed.thread.join(1)
            complaint.thread.join(1)
        except subprocess.TimeoutExpired as error:
            hint = "Does it wait for a passphrase? Unlock the keyring first, or use a file."
            raise MachineError(f"--keyring: {PROGRAM} gave no answer in {seconds:g} s", hint=hint) from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return _Answer(code, bytes(printed.first), _last_line(bytes(complaint.last), bytes(printed.first)))


class _Reader:
    """Reads to the end, and keeps the beginning and the end of it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self.first = bytearray()
        self.last = bytearray()
        self._stream = stream
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        try:
            while self._stream is not None and (data := os.read(self._stream.fileno(), 4096)):
                self.first += data[: max(0, LONGEST + 1 - len(self.first))]
                self.last = (self.last + data)[-_LAST:]
        except (OSError, ValueError):
            return  # closed meanwhile, since nobody waits for it any more


def _last_line(complaint: bytes, printed: bytes) -> str:
    lines = [line for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    secret = printed.decode("utf-8", "replace").strip()
    line = said(lines[-1], 300) if lines else ""
    return line.replace(secret, "…") if secret else line
