"""The proxy's logs are turned over by a real logrotate, and Nginx writes on in new files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bundler.site.engines.docker import Docker
from bundler.site.parts.rotation import Rotation
from bundler.site.place import DEFAULT, Place
from tests.counterparts.need import need
from tests.site.parts.stage import Site, chat


def test_logrotate_turns_the_logs_over(serving: Site, docker_socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(serving.engine, Docker):
        pytest.skip("Podman's program finds its containers in the usual place alone")
    need("docker", "docker-cli")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker_socket}")
    place = serving.place
    file = place.work(serving.release.id) / "llm-bundle.logrotate"
    chat(serving)
    until_written(place.logs / "access.log")
    command = [need("logrotate", "logrotate"), "--force", "--state", str(place.root / "rotated"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    chat(serving)
    logs = place.logs
    before = {path.name: path.read_text() for path in logs.glob("*.1")}
    assert "POST /v1/chat/completions" in before["access.log.1"]
    assert until_written(logs / "access.log").count("POST /v1/chat/completions") == 1
    assert (logs / "access.log").stat().st_uid == 65532


def until_written(path: Path) -> str:
    """What Nginx has written, which it does a moment later."""
    for _ in range(100):
        if text := path.read_text():
            return text
        subprocess.run(["sleep", "0.05"], check=True)
    return ""


def test_it_is_one_s_own_release_s_or_nobody_s(tmp_path: Path) -> None:
    used = tmp_path / "llm-bundle"
    old, new = (Rotation(name, tmp_path / f"{name}.logrotate", used) for name in ("old", "new"))
    for one in (old, new):
        one.write(f"# Written by llm-bundle.\n{one.release} {{}}\n")
        one.put()
    old.take()
    assert "new {}" in used.read_text()
    new.take()
    new.take()
    assert not used.exists()
    used.write_text("/var/log/x {}\n")
    new.put()
    new.take()
    assert used.read_text() == "/var/log/x {}\n"


def test_only_the_usual_installation_is_turned_over_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert Rotation.of(Place(tmp_path), "r").used is None
    assert Rotation.of(Place(DEFAULT), "r").used == Path("/etc/logrotate.d/llm-bundle")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert Rotation.of(Place(DEFAULT), "r").used is None
