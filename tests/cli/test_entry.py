"""Ctrl-C in the first moments, while Python still loads modules: no traceback, whatever is being loaded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_INTERRUPTED = """\
import os, signal
os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize("ignored", [False, True])
def test_an_interrupt_while_modules_are_loaded(tmp_path: Path, ignored: bool) -> None:
    (tmp_path / "click.py").write_text(f"{_INTERRUPTED}raise SystemExit(7)\n")
    before = signal.SIG_IGN if ignored else signal.SIG_DFL
    done = subprocess.run(
        [sys.executable, "-m", "bundler.cli.entry", "--version"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, before), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (7 if ignored else -signal.SIGINT, "", "")


def test_afterwards_it_is_told_as_ever(tmp_path: Path) -> None:
    program = (
        "import os, signal\nfrom bundler.cli import entry, main\n"
        "main._call = lambda args: os.kill(os.getpid(), signal.SIGINT)\nentry.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2],
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 130
    assert done.stderr == "llm-bundle: stopped. Run the same command again to go on.\n"
