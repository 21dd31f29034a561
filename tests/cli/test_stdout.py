"""Where the output of a command goes is the user's choice: a pipe that closes, a full disk, nowhere at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bundler.cli.main import READER_LEFT
from tests.site.bundles import small_bundle

ENTRY = [sys.executable, "-m", "bundler.cli.main"]


def run_into(output: int, *args: str) -> subprocess.CompletedProcess[str]:
    """Run ``llm-bundle`` with its standard output at the descriptor ``output``."""
    return subprocess.run([*ENTRY, *args], stdout=output, stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def closed_pipe() -> int:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def test_a_reader_that_left_ends_the_command_as_it_ends_others(tmp_path: Path) -> None:
    pipe = closed_pipe()
    done = run_into(pipe, "verify", "-q", str(small_bundle(tmp_path)))
    os.close(pipe)
    assert (done.returncode, done.stderr) == (READER_LEFT, "")


@pytest.mark.parametrize("args", [["inspect"], ["inspect", "--json"], ["inspect", "--members"]])
def test_a_full_disk_under_the_output_gets_its_sentence(tmp_path: Path, args: list[str]) -> None:
    bundle = small_bundle(tmp_path)
    with Path("/dev/full").open("w") as full:
        done = run_into(full.fileno(), *args, str(bundle))
    assert done.returncode == 6
    assert "the output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_any_output_a_command_works(tmp_path: Path) -> None:
    command = 'exec "$@" >&-'
    arguments = [*ENTRY, "verify", "-q", str(small_bundle(tmp_path))]
    done = subprocess.run(["sh", "-c", command, "sh", *arguments], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
