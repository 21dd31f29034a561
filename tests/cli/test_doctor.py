"""``llm-bundle doctor`` from the command line."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from bundler.cli.main import call
from bundler.site.place import Place
from bundler.site.state import Release, Settings, State
from bundler.site.store import StateStore
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


def test_half_of_a_certificate_is_not_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["doctor", "--root", str(tmp_path), "--tls-cert", "server.pem"]) == 2
    assert "--tls-cert and --tls-key belong together" in capsys.readouterr().err


def test_the_ports_of_the_installation_below_the_root_are_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as ours:
        ours.bind(("0.0.0.0", 0))
        ours.listen()
        port = ours.getsockname()[1]
        release = Release("a-1-0123456789ab", "a", "1", f"sha256:{'0' * 64}", 0, 0)
        settings = Settings(engine="docker", https_port=port)
        StateStore(Place(tmp_path)).write(State(settings=settings, releases=(release,), current=release.id))
        call(["doctor", "--root", str(tmp_path), "--port", str(port)])
    row = next(line for line in capsys.readouterr().out.splitlines() if f"port {port}" in line)
    assert row.startswith("ok")
