"""A secure site as bare as can be: no network, no environment, no home, a read-only medium, nowhere to put files.

The namespaces are this user's own and end with the command; as root they are made directly, else as a root of its own.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.counterparts.need import need

MEDIUM = "/mnt"
WORK = "/srv"
# The medium and the place to work in are mounted elsewhere before /tmp, where both lie in tests, is hidden.
_SETTING = f"""set -e
mount --bind "$1" {MEDIUM}
mount -o remount,bind,ro {MEDIUM}
mount --bind "$2" {WORK}
for folder in /tmp /var/tmp /dev/shm $3; do mount -t tmpfs -o ro,noexec none $folder; done
cd {WORK}
shift 3
exec env -i "$@"
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str


def at_site(medium: Path, work: Path, *command: str) -> Ran:
    """Run ``command`` with ``medium`` at MEDIUM and in ``work`` at WORK, the one folder that can be written."""
    own = [need("unshare", "util-linux"), *([] if os.geteuid() == 0 else ["-r"]), "-m", "-n"]
    # An interpreter that a user has installed may lie below the home folder.
    home = str(Path.home())
    hidden = "" if any(word.startswith(home) for word in command) else home
    done = subprocess.run(
        [*own, "sh", "-c", _SETTING, "sh", str(medium), str(work), hidden, *command],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)
