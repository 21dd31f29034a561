"""``llm-bundle assets role``: what it prints, and the keys that it makes in a real Elasticsearch."""

from __future__ import annotations

import json
import re
import stat

import pytest

from bundler.cli.main import call
from tests.assets.stage import Stage
from tests.test_readme import rows

KEYS = {cells[0].strip("`"): set(re.findall(r"`(\w+)`", cells[1])) for cells in rows("command", "keys")}


def test_it_prints_a_role_without_any_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["assets", "role", "install", "--ilm", "--space", "a", "--space", "*", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["name"] == "llm_bundle_install"
    assert "manage_ilm" in said["role"]["cluster"]
    assert said["role"]["applications"][0]["resources"] == ["space:a", "*"]
    assert call(["assets", "role", "ship"]) == 0
    line, *rest = capsys.readouterr().out.splitlines()
    assert line == "PUT _security/role/llm_bundle_ship"
    assert json.loads("\n".join(rest))["indices"][0]["privileges"] == ["auto_configure", "create_doc"]
    assert call(["assets", "role", "ship", "--create"]) == 2


def test_it_makes_keys_that_work(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    login = stage.node.session.auth
    assert isinstance(login, tuple)
    user, password = login
    monkeypatch.setenv("ELASTICSEARCH_PASSWORD", password)
    path = stage.folder / "new.key"
    where = ["--elasticsearch", stage.between.url, "--user", user]
    line = ["assets", "role", "install", *where, "--create", "--key-file", str(path), "--json"]
    stage.capsys.readouterr()
    assert call(line) == 0
    said = stage.capsys.readouterr().out
    assert set(json.loads(said)) == KEYS["assets role"]
    secret = path.read_text().strip().partition(":")[2]
    assert secret
    assert secret not in said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert call(line) == 6, "a file that is there is not written over"
    assert "Name a new file" in stage.capsys.readouterr().err
    assert path.read_text().strip().endswith(secret)
    planned = stage.run("plan", key=path)
    installed = stage.run("install", "--no-proof", key=path)
    shown = stage.run("status", key=path)
    gone = stage.run("uninstall", key=path)
    assert [one.code for one in (planned, installed, shown, gone)] == [8, 0, 0, 0]
    for command, one in (("plan", planned), ("install", installed), ("status", shown), ("uninstall", gone)):
        assert set(one.document) == KEYS[f"assets {command}"]
    derived = stage.run("role", "--create", "--key-file", str(stage.folder / "derived.key"), key=path)
    assert derived.code == 7
    assert "Log in by name" in derived.errors
    assert not (stage.folder / "derived.key").exists()
    stage.node.call("DELETE", "_security/role/llm_bundle_install")


@pytest.mark.parametrize(("purpose", "command"), [("install", "assets plan"), ("ship", "assets host-config")])
def test_it_says_how_a_key_ends(stage: Stage, monkeypatch: pytest.MonkeyPatch, purpose: str, command: str) -> None:
    login = stage.node.session.auth
    assert isinstance(login, tuple)
    monkeypatch.setenv("ELASTICSEARCH_PASSWORD", login[1])
    path = stage.folder / "new.key"
    stage.capsys.readouterr()
    where = ["--elasticsearch", stage.between.url, "--user", login[0]]
    assert call(["assets", "role", purpose, *where, "--create", "--key-file", str(path)]) == 0
    said = stage.capsys.readouterr().out
    name = path.read_text().partition(":")[0]
    body = re.search(r"DELETE _security/api_key (.*)", said)
    assert body
    assert json.loads(body[1]) == {"ids": [name]}
    assert f"next: llm-bundle {command}" in said
    assert stage.node.call("DELETE", "_security/api_key", json.loads(body[1]))["invalidated_api_keys"] == [name]
    stage.node.call("DELETE", f"_security/role/llm_bundle_{purpose}")
