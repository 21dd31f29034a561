"""``make demo``: the main job on a tiny example, by the commands that a user types. Needs no network.

Leaves everything under build/demo/. Exits with the code of the first command that fails.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from examples.tiny.inputs import make_inputs

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "build" / "demo"
TOP = "tiny-1.0.0"


def main() -> None:
    """Run the demo."""
    shutil.rmtree(PLACE, ignore_errors=True)
    make_inputs(PLACE / "inputs")
    shutil.copy(ROOT / "examples" / "tiny" / "bundle.yml", PLACE)
    _show("On the connected machine: what is wanted, pinned byte for byte, and packed into one file")
    _run("llm-bundle", "lock")
    _run("llm-bundle", "plan")
    _run("llm-bundle", "build")
    _show("At the secure site: checked and unpacked")
    _run("llm-bundle", "verify", f"{TOP}.tar")
    _run("llm-bundle", "inspect", f"{TOP}.tar")
    _run("llm-bundle", "unpack", f"{TOP}.tar", "site")
    _show("The same check with nothing but tar and coreutils")
    (PLACE / "by-hand").mkdir()
    _run("tar", "-xf", f"{TOP}.tar", "-C", "by-hand")
    _run("sh", "-c", f"cd by-hand/{TOP} && sha256sum -c --strict --quiet SHA256SUMS && echo good")
    _show("For Kibana: the connectors")
    _run("cat", f"site/{TOP}/kibana/kibana.yml")
    print(f"\nAll of it lies in {PLACE.relative_to(ROOT)}/; the way on is in site/{TOP}/kibana/NEXT-STEPS.md.")


def _show(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def _run(*command: str) -> None:
    print(f"\n$ {shlex.join(command)}", flush=True)
    program = [sys.executable, "-m", "bundler.cli.main"] if command[0] == "llm-bundle" else [command[0]]
    done = subprocess.run([*program, *command[1:]], cwd=PLACE, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
