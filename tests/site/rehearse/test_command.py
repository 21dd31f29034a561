"""``llm-bundle rehearse``: exit codes, and the report as a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bundler.cli.main import call
from tests.site.rehearse.stage import Stage

HANDBOOK = Path(__file__).parents[3] / "docs" / "rehearse.md"


@pytest.fixture
def base(docker: Stage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command, for this Docker."""
    monkeypatch.setenv("DOCKER_HOST", docker.environment["DOCKER_HOST"])
    return ["rehearse", "--engine", "docker", "--gpus", "none", "--start-period", "120", "--json", "--quiet"]


def test_a_model_whose_calls_are_not_parsed(
    base: list[str], docker: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    arguments = [*base, str(docker.bundle), "--report", str(report), "--engine-arg=--fault=unparsed"]
    assert call([*arguments, "--work", str(tmp_path)]) == 8
    printed = json.loads(capsys.readouterr().out)
    assert json.loads(report.read_text()) == printed
    assert report.stat().st_mode & 0o777 == 0o644
    failed = [check for check in printed["checks"] if check["state"] == "failed"]
    assert [check["name"] for check in failed] == ["tool call"]
    assert "the call stands in the text" in failed[0]["found"]
    assert (printed["ok"], printed["ending"]) == (False, "rehearsed")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    row = next(line for line in HANDBOOK.read_text().splitlines() if line.startswith("| `rehearse` | `format`"))
    assert re.findall(r"`(\w+)`", row)[1:] == list(printed)


def test_a_report_is_replaced_only_with_force(
    base: list[str], docker: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, bad = tmp_path / "report.json", tmp_path / "bad.tar"
    report.write_text("dear")
    data = bytearray(docker.bundle.read_bytes())
    data[-5000] ^= 1
    bad.write_bytes(data)
    assert call([*base, str(bad), "--report", str(report)]) == 6
    assert report.read_text() == "dear"
    capsys.readouterr()
    assert call([*base, str(bad), "--report", str(report), "--force"]) == 5
    assert json.loads(report.read_text())["ending"] == "damaged"
    assert json.loads(capsys.readouterr().out)["checks"][0]["state"] == "failed"


def test_a_report_that_could_not_be_written_is_told_before(base: list[str], docker: Stage, tmp_path: Path) -> None:
    assert call([*base, str(docker.bundle), "--report", str(tmp_path / "no" / "report.json")]) == 6


@pytest.mark.parametrize("place", ["192.0.2.7", "192.0.2.7:0", "192.0.2.7:65536", ":443", "x:443", "::1:443"])
def test_a_place_outside_is_an_address_with_a_port(base: list[str], place: str) -> None:
    assert call([*base, "any.tar", "--outside", place]) == 2


@pytest.mark.parametrize("arg", ["--api-key=x", "--hf_token", "a\nb", "", "hf_abcdefghijklmnopqrstuv"])
def test_an_argument_without_secrets_of_one_line(base: list[str], arg: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call([*base, "any.tar", f"--engine-arg={arg}"]) == 2
    assert "hf_abc" not in capsys.readouterr().err


def test_for_people(docker: Stage, base: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.tar"
    bad.write_bytes(b"x" * 4096)
    assert call([*(word for word in base if word != "--json"), str(bad)]) == 5
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FAILED   bundle ")
    assert lines[1].strip() == "expected: every byte as it was packed"
    assert lines[-1] == "NOT FIT the bundle: 1 failed, 11 skipped"
