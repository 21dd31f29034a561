"""Asking the ``openssl`` program, 1.1.1 or newer: bounded in time, without a shell, no passphrase in its arguments."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bundler.errors import MachineError, UsageError

_SECONDS: Final = 60
# One wrong passphrase in 256 gives bytes that look as if they were decrypted, and then are no key.
_LOCKED: Final = (
    "bad decrypt",
    "maybe wrong password",
    "bad password read",
    "read CA private key",
    "load CA private key",
)
_MISSING: Final = "Install the distribution's package openssl, or make the certificates elsewhere with --out."


def openssl(args: Sequence[str], doing: str, *, folder: Path, passphrase: bytes | None = None) -> None:
    """Run it in ``folder``; with a ``passphrase`` the arguments may say ``{passphrase}`` for where it comes from.

    Raises: MachineError when it is missing or fails; UsageError when it says that the passphrase is wrong.
    """
    program = shutil.which("openssl")
    if program is None:
        raise MachineError(f"{doing}: the program openssl is not here", hint=_MISSING)
    with _handed_over(passphrase) as descriptor:
        line = [program, *(arg.replace("{passphrase}", f"fd:{descriptor}") for arg in args)]
        try:
            done = subprocess.run(
                line, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False,
                pass_fds=() if descriptor is None else (descriptor,), env={**os.environ, "LC_ALL": "C"}, umask=0o077,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MachineError(f"{program}: cannot be run: {type(error).__name__}", hint=_MISSING) from error
    if done.returncode:
        _refuse(doing, done.stderr.decode("utf-8", "replace"), given=passphrase is not None)


def _refuse(doing: str, said: str, *, given: bool) -> None:
    if any(sign in said for sign in _LOCKED):
        found = "the passphrase is wrong" if given else "it is encrypted"
        raise UsageError(f"{doing}: {found}", hint="Give the passphrase of the CA's key with --password-file.")
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("Using configuration")]
    text = " ".join(lines[:1])[:200] or "it gave no reason"
    raise MachineError(f"{doing}: openssl failed: {text}", hint="Try `openssl version`: 1.1.1 or newer is needed.")


@contextmanager
def _handed_over(passphrase: bytes | None) -> Iterator[int | None]:
    """A descriptor to read ``passphrase`` from: a file in memory, without a name."""
    if passphrase is None:
        yield None
        return
    descriptor = os.memfd_create("llm-bundle")
    try:
        os.write(descriptor, passphrase + b"\n")
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
