"""Docker's credential helpers: programs ``docker-credential-NAME`` that keep logins in a key store.

Rules: the server is written to the program's standard input, never into its arguments; 30 seconds and
64 KiB are its bounds; what it prints is never shown, for it may hold the secret. Protocol:
https://github.com/docker/docker-credential-helpers#development.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from bundler.errors import MachineError, SourceError

_LARGEST_ANSWER = 64 * 1024
_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NONE = (b"credentials not found", b"no credentials server URL", b"no credentials username")


def ask(name: Any, server: str, config: Path, *, seconds: float = 30.0) -> tuple[str, str] | None:
    """User and secret that the helper ``name`` keeps for ``server``; None when it has none.

    Raises: MachineError when the program is missing; SourceError when it fails or answers nonsense.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SourceError(f"{config}: expected the name of a credential helper, as in `pass` or `ecr-login`")
    program = f"docker-credential-{name}"
    path = shutil.which(program)
    if path is None:
        hint = f"Install {program} and put it on the PATH, or take it out of {config}."
        raise MachineError(f"{config} names the credential helper {program}, which is not there", hint=hint)
    status, output = _run(path, server, seconds)
    if status == 0:
        return _answer(output, program, server)
    if status is not None and any(text in output for text in _NONE):
        return None
    said = f"failed with status {status}" if status is not None else f"gave no answer in {seconds:.0f} s"
    hint = f"Try it by hand: echo {server} | {program} get"
    raise SourceError(f"the credential helper {program} {said} for {server}", hint=hint)


def _run(path: str, server: str, seconds: float) -> tuple[int | None, bytes]:
    """Exit status (None: killed after ``seconds``) and the start of what was printed."""
    expired = threading.Event()
    try:
        process = subprocess.Popen(
            [path, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise MachineError(f"{path} cannot be started: {error.strerror}") from error

    def stop() -> None:
        expired.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        with process:
            assert process.stdin and process.stdout
            try:
                process.stdin.write(server.encode())
                process.stdin.close()
            except OSError:
                pass  # a helper that ended early; its status tells more
            output = process.stdout.read(_LARGEST_ANSWER + 1)
            process.stdout.close()
            status = process.wait()
    finally:
        timer.cancel()
    return (None if expired.is_set() else status), output


def _answer(output: bytes, program: str, server: str) -> tuple[str, str]:
    try:
        document = json.loads(output.decode()) if len(output) <= _LARGEST_ANSWER else None
    except (ValueError, RecursionError):
        document = None
    fields = document if isinstance(document, dict) else {}
    user, secret = fields.get("Username"), fields.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str):
        raise SourceError(f"the credential helper {program}: expected JSON with Username and Secret for {server}")
    return user, secret
