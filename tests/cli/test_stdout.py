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


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_with_closed_streams_a_command_works(tmp_path: Path, closed: str) -> None:
    arguments = [*ENTRY, "verify", str(small_bundle(tmp_path))]
    done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", *arguments], check=False, timeout=60)
    assert done.returncode == 0


def test_a_file_never_gets_the_number_of_a_closed_stream() -> None:
    """Else whoever complains on stderr, a credential helper for one, would write into the bundle."""
    probe = "import os; from bundler.cli import main; main.call = lambda args: os.open('/dev/null', 0); main.run()"
    command = ["sh", "-c", 'exec "$@" <&- 2>&-', "sh", sys.executable, "-c", probe]
    assert subprocess.run(command, check=False, timeout=60).returncode > 2


@pytest.mark.parametrize("locale", ["POSIX", "C"])
def test_a_locale_without_utf8_is_named(tmp_path: Path, locale: str) -> None:
    """PYTHONUTF8=0 is how ISO-8859-1 looks on a machine that has that locale."""
    forced = {**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [*ENTRY, "verify", "-q", str(small_bundle(tmp_path))]
    done = subprocess.run(command, env=forced, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 6
    assert "names of files in ascii" in done.stderr and "PYTHONUTF8=1" in done.stderr
    assert subprocess.run(command, env={**forced, "PYTHONUTF8": "1"}, check=False, timeout=60).returncode == 0
