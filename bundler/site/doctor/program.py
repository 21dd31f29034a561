"""Asking a program of the machine: bounded in time and output, without a shell."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import Final

_SECONDS: Final = 20.0
_MOST: Final = 1 << 16
_FOLDERS: Final = "/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said: its exit code (None when it did not end in time) and its output, cut at 64 KiB."""

    code: int | None
    output: str


def ask(*command: str) -> Answer | None:
    """Run ``command``; None when the program is not there or cannot be started."""
    program = shutil.which(command[0]) or shutil.which(command[0], path=_FOLDERS)
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return Answer(None, (error.stdout or b"")[:_MOST].decode("utf-8", "replace"))
    except OSError:
        return None
    return Answer(done.returncode, done.stdout[:_MOST].decode("utf-8", "replace"))
