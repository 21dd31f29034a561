"""The commands that hints name: whoever has another folder than the usual one can copy them as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.cli.commands.install import _text
from bundler.cli.main import call
from bundler.cli.site_options import at_root
from bundler.site.doctor.interface import Finding
from bundler.site.install.install import Installed
from bundler.site.place import DEFAULT, Place

ELSEWHERE = Place(Path("/srv/two words"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`llm-bundle rollback` goes back.", "`llm-bundle rollback --root '/srv/two words'` goes back."),
        ("Run llm-bundle token new, twice", "Run llm-bundle token new --root '/srv/two words', twice"),
        ("llm-bundle tls make-ca --server-name a", "llm-bundle tls make-ca --root '/srv/two words' --server-name a"),
        ("llm-bundle install --root x", "llm-bundle install --root x"),
        ("llm-bundle verify FILE; llm-bundle installed", "llm-bundle verify FILE; llm-bundle installed"),
    ],
)
def test_commands_of_the_site_get_its_folder(text: str, expected: str) -> None:
    assert at_root(text, ELSEWHERE) == expected


def test_the_usual_folder_need_not_be_named() -> None:
    assert at_root("`llm-bundle status` lists it", Place(DEFAULT)) == "`llm-bundle status` lists it"


def test_hints_and_findings_of_commands_name_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["rollback", "--root", str(tmp_path)]) == 2
    assert f"`llm-bundle status --root {tmp_path}` lists" in capsys.readouterr().err
    assert call(["status", "--root", str(tmp_path)]) == 8
    assert f"fix: Install a bundle: llm-bundle install --root {tmp_path} NAME.tar" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("checks", "end"),
    [
        (["port 443", "GPUs"], "go on all the same: --ignore 'port 443' --ignore GPUs"),
        (["certificate", "key"], "Mend what blocks."),
        (["certificate's names", "clock"], "go on all the same: --ignore clock"),
    ],
)
def test_what_can_be_ignored_is_written_out(checks: list[str], end: str) -> None:
    findings = (Finding("open files", "ok", "many"), *(Finding(one, "block", "x", "y", "z") for one in checks))
    assert _text(Installed(findings, blocked=True), ELSEWHERE)[-1].endswith(end)
