"""Damage as people read it: one cause is one line, also where it took many members along."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundler.cli.commands.verify import report_text
from bundler.cli.main import call
from bundler.site.report import Damage, Report
from tests.site.bundles import small_bundle


def _lines(*damaged: Damage) -> list[str]:
    return report_text(Report(0, 0, "absent", damaged))[:-1]


def test_what_one_cause_damaged_is_one_line() -> None:
    cut = [Damage(f"models/{n}", "a.tar.002", "ends at byte 7") for n in range(9)]
    assert _lines(Damage("a.tar", None, "truncated"), *cut) == [
        "DAMAGED a.tar: truncated",
        "DAMAGED models/0, models/1, models/2 and 6 more (--json names all) in a.tar.002: ends at byte 7",
    ]


def test_four_are_named_one_by_one() -> None:
    missing = [Damage(name, None, "the volume is missing") for name in "abcd"]
    assert _lines(*missing) == ["DAMAGED a, b, c, d: the volume is missing"]


def test_a_cut_file_says_where_it_really_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = small_bundle(tmp_path)
    half = bundle.stat().st_size // 2
    os.truncate(bundle, half)
    assert call(["verify", "-q", str(bundle)]) == 5
    rows = [line for line in capsys.readouterr().out.splitlines() if "before its time" in line]
    assert len(rows) == 1
    assert rows[0].endswith(f"ends at byte {half:,}, before its time")
