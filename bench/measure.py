"""Running a command and reading off what it took: time, bytes given to write(2), peak memory.

/proc/PID/io is read when the process has ended and not been waited for yet; the kernel adds to it whatever the
processes cost that it waited for itself, so that of a shell counts its whole script. Peak memory is that of the
largest one of them; as they are started from this process, it is never less than this one's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command took; ``wchar`` and ``peak`` in bytes, ``loopback`` the bytes that crossed it meanwhile."""

    seconds: float
    wchar: int
    peak: int
    loopback: int
    output: str


def run(*command: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> Usage:
    """Run ``command`` to its end. Raises: SystemExit when it fails, for then nothing can be compared."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as talk:
        crossed, began = _loopback(), time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=talk
        )
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.perf_counter() - began
        wchar = _wchar(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
        if process.returncode:
            talk.seek(0)
            said = talk.read().decode(errors="replace")[-4000:]
            sys.exit(f"bench: {' '.join(map(str, command))}\nended with {process.returncode}:\n{said}{text[-1000:]}")
    return Usage(seconds, wchar, usage.ru_maxrss * 1024, _loopback() - crossed, text)


def script(text: str, *, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> Usage:
    """Run a shell script that ends at its first failure. Raises: SystemExit when it fails."""
    return run("sh", "-eu", "-c", text, cwd=cwd, environment=environment)


def _wchar(pid: int) -> int:
    rows = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(rows["wchar"])


def _loopback() -> int:
    """Bytes received on the loopback interface so far, headers and all, by anybody."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    return next(int(line.split(":")[1].split()[0]) for line in lines if line.strip().startswith("lo:"))
