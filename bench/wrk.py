"""wrk, the load of the proxy's figures: one thread, keep-alive, a chat completion with the same prompt each time.

wrk 4.1 sends the name of the URL's host in the handshake and takes any certificate. Its answers are text alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.counterparts.need import need

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_SCRIPT = """\
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer {token}"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["User-Agent"] = "OpenAI/Python 2.0.0"
wrk.body = '{{"model": "m", "messages": [{{"role": "user", "content": "{prompt}"}}]}}'
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: requests it got an answer to, how many a second, the median latency in seconds."""

    requests: int
    rate: float
    median: float


class Wrk:
    """``folder`` gets the script; ``cores`` are those that wrk may use; ``prompt`` is in bytes."""

    def __init__(self, folder: Path, token: str, cores: set[int], prompt: int) -> None:
        self._program, self._script, self._cores = need("wrk", "wrk"), folder / f"request-{prompt}.lua", cores
        self._script.write_text(_SCRIPT.format(token=token, prompt=("lorem ipsum " * prompt)[:prompt]))

    def run(self, base: str, *, connections: int, seconds: int) -> Load:
        """Load ``base``. Raises: SystemExit when wrk fails or when any answer is not 200."""
        cores = ",".join(map(str, sorted(self._cores)))
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(self._script)]
        command = ["taskset", "-c", cores, self._program, *options, f"{base}/v1/chat/completions"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
        if done.returncode:
            sys.exit(f"bench: {' '.join(command)}: ended with {done.returncode}:\n{done.stderr}")
        return parse(done.stdout)


def parse(text: str) -> Load:
    """Read what wrk prints. Raises: SystemExit when answers were wrong, late or missing: nothing was measured then."""
    requests = re.search(r"^ *(\d+) requests in ", text, re.MULTILINE)
    rate = re.search(r"^Requests/sec: +([0-9.]+)", text, re.MULTILINE)
    median = re.search(r"^ +50% +([0-9.]+)(us|ms|s|m)$", text, re.MULTILINE)
    if not (requests and rate and median) or "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"bench: wrk was not answered as it should be:\n{text}")
    return Load(int(requests[1]), float(rate[1]), float(median[1]) * _SECONDS[median[2]])
