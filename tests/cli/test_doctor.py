"""``llm-bundle doctor`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundler.cli.main import call
from tests.site.bundles import small_bundle


def test_a_machine_without_gpus_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = small_bundle(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    code = call(["doctor", str(bundle), "--root", str(tmp_path), "--port", "65001", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert all(row.keys() == {"check", "state", "found", "expected", "fix"} for row in findings)
    states = {row["check"]: row["state"] for row in findings}
    # It names no image and no memory need, so that a missing GPU only warns.
    assert (code, states["GPUs"], states["port 65001"]) == (0, "warn", "ok")


def test_a_certificate_that_is_not_there_blocks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "no.pem")
    assert call(["doctor", "--root", str(tmp_path), "--tls-cert", missing, "--tls-key", missing]) == 8
    out = capsys.readouterr().out
    assert "BLOCK  certificate" in out
    assert "fix: " in out


def test_no_bundle_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["doctor", str(tmp_path / "no.tar")]) == 6
    assert "there is no such file" in capsys.readouterr().err
