"""Checking a signature with the ``openssl`` program, for a site whose Python has no cryptography library.

Key and signature are handed over in files without names, so that a medium or a /tmp that is read-only will do.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bundler.errors import MachineError
from bundler.trust.keys import PublicKey

_SECONDS = 60
_HINT = "Try `openssl version`; or check by hand, as the bundle's README.md says."


class WithOpenssl:
    """See ``signature.Verifier``; ``program`` is the path of openssl."""

    def __init__(self, program: str) -> None:
        self._program = program

    def fits(self, key: PublicKey, signature: bytes, message: bytes) -> bool:
        """See ``signature.Verifier``."""
        with ExitStack() as stack:
            of_key = stack.enter_context(_nameless(key.pem()))
            of_signature = stack.enter_context(_nameless(signature))
            line = ["dgst", "-sha256", "-verify", f"/dev/fd/{of_key}", "-signature", f"/dev/fd/{of_signature}"]
            return self._run(line, message, (of_key, of_signature))

    def _run(self, line: list[str], message: bytes, descriptors: tuple[int, ...]) -> bool:
        try:
            done = subprocess.run(
                [self._program, *line], input=message, pass_fds=descriptors, capture_output=True, timeout=_SECONDS,
                env={**os.environ, "LC_ALL": "C"}, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MachineError(f"{self._program}: cannot be run: {type(error).__name__}", hint=_HINT) from error
        if done.returncode == 0 and done.stdout.strip() == b"Verified OK":
            return True
        if done.returncode == 1 and b"verification failure" in (done.stdout + done.stderr).lower():
            return False
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().partition("\n")[0][:200]
        raise MachineError(f"{self._program}: could not check the signature: {said or done.returncode}", hint=_HINT)


@contextmanager
def _nameless(data: bytes) -> Iterator[int]:
    """The descriptor of a file in memory that holds ``data``."""
    descriptor = os.memfd_create("llm-bundle")
    try:
        os.write(descriptor, data)
        yield descriptor
    finally:
        os.close(descriptor)
