"""Engines: the real Podman, and none at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import MachineError
from bundler.layout.manifest import ImageEntry, Manifest
from bundler.site.doctor.engine import check_engine, image_store
from bundler.site.doctor.interface import Wish
from bundler.site.engines.docker import Docker
from tests.counterparts.need import need

D = Digest("0" * 64)


def wish(*, image: bool) -> Wish:
    images = (ImageEntry("engine", "x", "linux/amd64", D, D, 1),) if image else ()
    return Wish(Path(), manifest=Manifest("a", "1", "linux/amd64", 0, "0", (), images))


def test_the_real_podman() -> None:
    need("podman", "podman")
    rows = list(check_engine(wish(image=True)))
    assert any(row.found.startswith("podman ") and row.state in ("ok", "warn") for row in rows)
    assert image_store(wish(image=True)).is_absolute()


def test_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    (row,) = check_engine(wish(image=True))
    assert (row.state, row.found) == ("block", "neither Docker nor Podman answers")
    assert list(check_engine(wish(image=False))) == []


def test_the_one_that_was_chosen_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("podman", "podman")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    (row,) = check_engine(replace(wish(image=True), engine="docker"))
    assert (row.state, row.found) == ("block", "Docker does not answer")
    assert "--engine podman" in row.fix
    rows = list(check_engine(replace(wish(image=True), engine="podman")))
    assert [row.found.partition(" ")[0] for row in rows] == ["podman"]


def test_a_daemon_that_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket is there, and nobody behind it."""
    (tmp_path / "docker.sock").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    rows = list(check_engine(wish(image=True)))
    assert [row.state for row in rows] == ["warn", "block"]
    assert "Docker" in rows[0].found


def test_a_socket_that_cannot_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix:///{'a' * 300}")
    row = next(iter(check_engine(wish(image=True))))
    assert row.state == "warn"
    assert "cannot look at: File name too long" in row.found


def test_who_may_not_talk_to_docker_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: object) -> None:
        raise MachineError("this user may not talk to Docker", hint="Run as root.")

    (tmp_path / "docker.sock").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    monkeypatch.setattr(Docker, "info", refused)
    said, missing = check_engine(wish(image=True))
    assert (said.found, said.fix) == ("this user may not talk to Docker", "Run as root.")
    assert (missing.state, missing.fix) == ("block", "Do what stands above for one of them.")
