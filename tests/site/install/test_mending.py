"""What has happened to an installation meanwhile: status says it, and the same bundle again mends it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.site.install.spot import Spot
from tests.site.install.world import certified

DAMAGES = {
    "": "not JSON",
    '{"format": "llm-bundle-state/1"}': "releases",
    '{"format": "llm-bundle-state/2"}': 'expected "llm-bundle-state/1", found "llm-bundle-state/2"',
    '{"format": "llm-bundle-state/1", "settings": {"moon": 1}, "releases": []}': "unknown key 'moon'",
}


def troubles(spot: Spot) -> str:
    status = spot.status()
    assert status["ok"] is False
    assert all(row["fix"] for row in status["trouble"])
    return "; ".join(row["found"] for row in status["trouble"])


@pytest.mark.parametrize("text", DAMAGES)
def test_a_state_that_cannot_be_read(on_docker: Spot, text: str) -> None:
    on_docker.root.mkdir()
    (on_docker.root / "state.json").write_text(text)
    (on_docker.root / "state.json").chmod(0o600)
    for done in (on_docker.install("1.0.0"), on_docker.at("status", "--json"), on_docker.at("rollback", "--json")):
        assert done.code == 6, done.err
        error = json.loads(done.out)["error"]
        assert f"{on_docker.root / 'state.json'}" in error["message"]
        assert DAMAGES[text] in error["message"]
        assert error["hint"]
    outcomes = [
        json.loads(line)["event"]["outcome"] for line in (on_docker.root / "audit.log").read_text().splitlines()
    ]
    assert outcomes == ["failure", "failure"]
    assert (on_docker.root / "state.json").read_text() == text


def test_files_of_the_release_are_gone(on_docker: Spot) -> None:
    release = on_docker.serve("1.0.0")
    (plan,) = (on_docker.root / "releases" / release).glob("config/serve.json")
    plan.unlink()
    assert "files of this release are missing" in troubles(on_docker)
    before = on_docker.ask("inspect", "--format", "{{.Id}}", *on_docker.containers())
    assert on_docker.serve("1.0.0") == release
    assert on_docker.chat()
    assert on_docker.status()["ok"]
    after = on_docker.ask("inspect", "--format", "{{.Id}}", *on_docker.containers())
    assert not set(before) & set(after), "what is mounted is no longer there"


def test_a_model_that_was_taken_away_under_an_upgrade(on_docker: Spot) -> None:
    """The old release cannot be stopped as it should be; nothing is lost by saying so."""
    old = on_docker.serve("1.0.0")
    (on_docker.root / "releases" / old / "config" / "serve.json").unlink()
    done = on_docker.install("1.3.0")
    assert done.code in (5, 6), done.err
    assert json.loads(done.out)["error"]["hint"]
    assert on_docker.chat()
    assert on_docker.serve("1.0.0") == old
    assert on_docker.serve("1.3.0") != old
    assert on_docker.chat()


def test_containers_that_were_taken_away(on_docker: Spot) -> None:
    release = on_docker.serve("1.0.0")
    on_docker.ask("rm", "--force", *on_docker.containers())
    assert "the engine does not run" in troubles(on_docker)
    assert on_docker.serve("1.0.0") == release
    assert on_docker.chat()


def test_an_installation_that_was_deleted_by_hand(on_docker: Spot) -> None:
    """The engine runs on with a key that nobody knows any more."""
    on_docker.serve("1.0.0")
    shutil.rmtree(on_docker.root)
    done = on_docker.install("1.0.0")
    assert done.code == 8
    assert f"port {on_docker.https}" in [row["check"] for row in json.loads(done.out)["findings"] if row["fix"]]
    on_docker.ask("rm", "--force", *(name for name in on_docker.containers() if "proxy" in name))
    on_docker.serve("1.0.0")
    assert on_docker.chat()


def test_a_listener_that_goes_away(on_docker: Spot) -> None:
    """What is said goes to a pipe that nobody reads any more: the way back is gone all the same."""
    on_docker.serve("1.0.0")
    process = on_docker.start(on_docker.arguments(on_docker.bundle("1.1.0")))
    assert process.stdout and process.stderr
    process.stdout.close()
    process.stderr.close()
    assert process.wait(240) != 0
    assert on_docker.answers_soon()
    assert on_docker.state()["moving"] is None


def test_a_certificate_that_is_renewed(on_docker: Spot, tmp_path: Path) -> None:
    on_docker.serve("1.0.0")
    before = on_docker.status()
    renewed = certified(tmp_path, 50)
    done = on_docker.install("1.0.0", "--tls-cert", str(renewed.certificate), "--tls-key", str(renewed.key))
    assert done.code == 0, done.err
    assert (on_docker.root / "secrets" / "tls" / "server.crt").read_bytes() == renewed.certificate.read_bytes()
    assert [part["since"] for part in on_docker.status()["parts"]] == [part["since"] for part in before["parts"]]
    assert on_docker.status()["certificate_days"] < 60 < before["certificate_days"]
