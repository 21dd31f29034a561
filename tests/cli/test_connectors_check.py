"""``connectors check``: exit codes, the three outputs, and its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundler.cli.main import call
from tests.preconfigured.check.samples import FOLDER

GOOD = str(FOLDER / "commented-9.4.yml")
BAD = str(FOLDER / "fifteen-defects.yml")


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = call(["connectors", "check", *args])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_errors_are_exit_code_8(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("elasticsearch.password\n", encoding="utf-8")
    code, out, err = run(capsys, BAD, "--stack", "9.2.0", "--keystore-list", str(keys))
    assert (code, err) == (8, "")
    assert f"{BAD}:23:7: error: xpack.actions.preconfigured.vllm.mistral.config.apiUrl" in out
    assert out.splitlines()[-1].endswith("12 errors, 3 warnings")


def test_warnings_alone_are_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, GOOD, "--stack", "9.4.0")
    assert code == 0
    assert "kibana-keystore add xpack.actions.preconfigured.vllm.secrets.apiKey --stdin" in out
    assert out.splitlines()[-1].endswith("4 warnings")


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, BAD, "--stack", "9.2.0", "--json")
    rows = json.loads(out)["findings"]
    assert code == 8
    assert {row["rule"] for row in rows} >= {"dotted-id", "api-url-path", "blocked-host"}


def test_sarif_is_written_beside(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "found.sarif"
    code, out, _ = run(capsys, BAD, "--stack", "9.2.0", "--sarif", str(path))
    log = json.loads(path.read_text(encoding="utf-8"))
    assert code == 8
    assert out
    assert log["version"] == "2.1.0"
    assert len(log["runs"][0]["results"]) == 15
    code, _, err = run(capsys, BAD, "--stack", "9.2.0", "--sarif", str(tmp_path / "no" / "found.sarif"))
    assert code == 6
    assert "found.sarif: cannot be written" in err


def test_what_is_known_of_the_site_counts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "k.yml"
    text = (FOLDER / "untrusted-host-bad-known.yml").read_text(encoding="utf-8")
    path.write_text(text.replace("enableNativeFunctionCalling: true", "temperature: 0"), encoding="utf-8")
    args = (str(path), "--stack", "9.3.0")
    assert run(capsys, *args)[0] == 0
    code, out, _ = run(capsys, *args, "--private-ca", "LLM.example.com", "--tool-calling", "vllm")
    assert code == 8
    assert "[untrusted-host]" in out
    assert "error: xpack.actions.preconfigured.vllm.exposeConfig" in out


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("none.yml", "--stack", "9.2.0"), 6, "none.yml: cannot be read: No such file"),
        ((GOOD, "--stack", "nine"), 2, "expected a version such as 9.2.0"),
        ((GOOD,), 2, "--stack"),
        ((GOOD, "--stack", "9.2.0", "--keystore-list", "none"), 6, "none: cannot be read"),
    ],
)
def test_wrong_use_is_said(capsys: pytest.CaptureFixture[str], args: tuple[str, ...], code: int, words: str) -> None:
    got, out, err = run(capsys, *args)
    assert got == code
    assert out == ""
    assert words in err


def test_a_misspelt_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["connectors", "chek"]) == 2
    assert "Did you mean 'check'" in capsys.readouterr().err
    assert call(["connectors", "--help"]) == 0
    assert "check" in capsys.readouterr().out
