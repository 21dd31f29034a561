"""What a command took, and what becomes of it in the table."""

from __future__ import annotations

import pytest

from bench.measure import run, script
from bench.table import Row, lines

COUNT = 3_000_000


def test_bytes_written_are_those_of_all_processes_of_a_script() -> None:
    usage = script(f"head -c {COUNT} /dev/zero > /dev/null\nhead -c {COUNT} /dev/zero | cat > /dev/null")
    assert 3 * COUNT <= usage.wchar < 3 * COUNT + 4096


def test_output_is_standard_output_alone() -> None:
    assert script("echo result; echo talk >&2").output == "result\n"


def test_peak_memory_is_that_of_the_largest_process() -> None:
    assert script("dd if=/dev/zero of=/dev/null bs=200M count=1").peak > 200_000_000


def test_a_command_that_fails_ends_the_run_with_what_it_said() -> None:
    with pytest.raises(SystemExit, match=r"(?s)ended with 3:.*no luck"):
        run("sh", "-c", "echo no luck >&2; exit 3")


def test_a_script_ends_at_its_first_failure() -> None:
    with pytest.raises(SystemExit, match="ended with 1"):
        script("false\ntrue")


def test_targets_are_bounds_that_may_be_reached() -> None:
    assert Row("a", 1.02, "at most", 1.02).good
    assert not Row("a", 1.021, "at most", 1.02).good
    assert Row("a", 0.8, "at least", 0.8).good
    assert not Row("a", 0.79, "at least", 0.8).good
    assert Row("a", 99).good


def test_the_table_says_which_target_was_missed() -> None:
    shown = lines([Row("long name", 2, "at most", 1.25, " s", "beside 1 s"), Row("b", 3)])
    assert shown[1:] == ["long name | 2 s | ≤ 1.25 s | NO", "    beside 1 s", "b         | 3 | - | -"]
