"""Credentials from files and helper programs. No secret may show in what is said."""

from __future__ import annotations

import json
import os
import traceback
from base64 import b64encode
from pathlib import Path

import pytest

from bundler.errors import BundleError, MachineError, SourceError
from bundler.sources.credential_helper import ask
from bundler.sources.credentials import Credentials, Keychain

SECRET = "s3cr3t-0f-the-test"


def entry(user: str, password: str = SECRET) -> dict[str, str]:
    return {"auth": b64encode(f"{user}:{password}".encode()).decode()}


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def docker(home: Path, document: object) -> Keychain:
    """A keychain with ~/.docker/config.json alone."""
    write(home / ".docker" / "config.json", document)
    return Keychain({"HOME": str(home)})


def user(found: Credentials | None) -> str | None:
    return found.user if found else None


def helper(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an executable docker-credential-NAME first on the PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_none_without_files(tmp_path: Path) -> None:
    assert Keychain({"HOME": str(tmp_path)}).find("registry.example", "team/app") is None


def test_what_docker_login_writes(tmp_path: Path) -> None:
    keychain = docker(tmp_path, {"auths": {"registry.example:5000": entry("me", "a:b:c")}})
    assert keychain.find("registry.example:5000", "team/app") == Credentials("me", "a:b:c")
    assert keychain.find("registry.example", "team/app") is None


@pytest.mark.parametrize(
    "key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "docker.io/library/nginx"]
)
def test_docker_hub_under_its_names(tmp_path: Path, key: str) -> None:
    assert user(docker(tmp_path, {"auths": {key: entry("me")}}).find("docker.io", "library/nginx")) == "me"


@pytest.mark.parametrize("key", ["https://registry.example", "http://registry.example/v1/", "registry.example"])
def test_keys_as_addresses(tmp_path: Path, key: str) -> None:
    assert user(docker(tmp_path, {"auths": {key: entry("me")}}).find("registry.example", "a")) == "me"


def test_the_most_specific_key_counts(tmp_path: Path) -> None:
    keys = ["registry.example/team/app", "registry.example", "registry.example/team", "registry.example/tea"]
    keychain = docker(tmp_path, {"auths": {key: entry(key) for key in keys}})
    for repository, expected in (("team/app", keys[0]), ("team/other/x", keys[2]), ("other", keys[1])):
        assert user(keychain.find("registry.example", repository)) == expected


def test_files_in_their_order(tmp_path: Path) -> None:
    home, runtime = tmp_path / "home", tmp_path / "run"
    environment = {"HOME": str(home)}
    keychain = Keychain(environment)
    places = [
        ("docker", home / ".docker" / "config.json", {}),
        ("config", home / ".config" / "containers" / "auth.json", {}),
        ("runtime", runtime / "containers" / "auth.json", {"XDG_RUNTIME_DIR": str(runtime)}),
        ("explicit", tmp_path / "explicit.json", {"REGISTRY_AUTH_FILE": str(tmp_path / "explicit.json")}),
    ]
    for name, path, variables in places:
        write(path, {"auths": {"registry.example": entry(name)}})
        environment.update(variables)
        assert user(keychain.find("registry.example", "a")) == name
    write(tmp_path / "explicit.json", {"auths": {}})
    assert keychain.find("registry.example", "a") is None
    del environment["REGISTRY_AUTH_FILE"]
    environment["DOCKER_CONFIG"] = str(tmp_path / "elsewhere")
    write(tmp_path / "elsewhere" / "config.json", {"auths": {"other.example": entry("moved")}})
    assert user(keychain.find("other.example", "a")) == "moved"


def test_an_auth_file_that_is_named_and_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"REGISTRY_AUTH_FILE names .*gone\.json"):
        Keychain({"REGISTRY_AUTH_FILE": str(tmp_path / "gone.json")}).find("registry.example", "a")


def test_an_identity_token_in_a_file(tmp_path: Path) -> None:
    keychain = docker(tmp_path, {"auths": {"registry.example": {**entry("me", ""), "identitytoken": SECRET}}})
    assert keychain.find("registry.example", "a") == Credentials("me", identity_token=SECRET)


def test_secrets_are_in_no_representation() -> None:
    shown = repr(Credentials("me", SECRET, SECRET))
    assert SECRET not in shown
    assert "me" in shown


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('{"auths": {"registry.example": {"auth": "' + SECRET, "expected JSON"),
        (f'["{SECRET}"]', "expected a JSON object"),
        ({"auths": [SECRET]}, "auths: expected a JSON object"),
        ({"auths": {"registry.example": SECRET}}, "auths: registry.example: expected an object"),
        ({"auths": {"registry.example": {"auth": [SECRET]}}}, "expected an object with auth"),
        ({"auths": {"registry.example": {"auth": SECRET + "!"}}}, "expected base64 of USER:PASSWORD"),
        ({"auths": {"registry.example": {"auth": b64encode(SECRET.encode()).decode()}}}, "expected base64"),
        ({"auths": {"registry.example": {"auth": "/////w=="}}}, "expected base64"),
        ({"credHelpers": {"registry.example": "../" + SECRET}}, "the name of a credential helper"),
        ({"credHelpers": {"registry.example": [SECRET]}}, "the name of a credential helper"),
        ("[" * 100_000, "expected JSON"),
        (" " * 1_100_000, "more than 1 MiB"),
    ],
)
def test_a_broken_file_is_named_and_not_shown(tmp_path: Path, document: object, words: str) -> None:
    keychain = docker(tmp_path, document)
    with pytest.raises(SourceError, match=words) as caught:
        keychain.find("registry.example", "a")
    assert str(tmp_path / ".docker" / "config.json") in caught.value.message
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert caught.value.__cause__ is None, "json's own error keeps the whole text"


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / ".docker" / "config.json").mkdir(parents=True)
    with pytest.raises(MachineError, match="credentials cannot be read: Is a directory"):
        Keychain({"HOME": str(tmp_path)}).find("registry.example", "a")


def test_a_helper_is_asked_on_its_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/input; echo \'{{"Username":"me","Secret":"{SECRET}"}}\''
    )
    helper(tmp_path / "bin", "vault", script, monkeypatch)
    keychain = docker(tmp_path, {"credHelpers": {"registry.example": "vault"}, "auths": {"registry.example": {}}})
    assert keychain.find("registry.example", "team/app") == Credentials("me", SECRET)
    assert (tmp_path / "arguments").read_text() == "get\n"
    assert (tmp_path / "input").read_text() == "registry.example"
    assert keychain.find("other.example", "team/app") is None


def test_the_store_is_asked_for_docker_hub_by_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f'cat > {tmp_path}/input; echo \'{{"Username":"<token>","Secret":"{SECRET}"}}\''
    helper(tmp_path / "bin", "keys", script, monkeypatch)
    keychain = docker(tmp_path, {"credsStore": "keys"})
    assert keychain.find("docker.io", "library/nginx") == Credentials("", identity_token=SECRET)
    assert (tmp_path / "input").read_text() == "https://index.docker.io/v1/"


def test_a_helper_that_knows_none_gives_way_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path / "bin", "keys", "echo 'credentials not found in native keychain'; exit 1", monkeypatch)
    keychain = docker(tmp_path, {"credsStore": "keys", "auths": {"registry.example": entry("me")}})
    assert user(keychain.find("registry.example", "a")) == "me"
    assert keychain.find("other.example", "a") is None


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"echo {SECRET}; echo {SECRET} >&2; exit 3", "failed with status 3"),
        (f"echo {SECRET}", "expected JSON with Username and Secret"),
        ('echo \'{"Username":"me"}\'', "expected JSON with Username and Secret"),
        (f"yes {SECRET} | head -c 200000", "expected JSON|failed with status"),
        ("exit 0", "expected JSON"),
        ("kill -9 $$", "failed with status -9"),
    ],
)
def test_a_helper_that_fails_is_named_and_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    helper(tmp_path / "bin", "bad", script, monkeypatch)
    with pytest.raises(BundleError, match=words) as caught:
        docker(tmp_path, {"credsStore": "bad"}).find("registry.example", "a")
    assert "docker-credential-bad" in caught.value.message
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + caught.value.hint


def test_a_helper_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path / "bin", "slow", f"sleep 60 & echo $! > {tmp_path}/child; wait", monkeypatch)
    with pytest.raises(SourceError, match="gave no answer in 1 s"):
        ask("slow", "registry.example", tmp_path / "config.json", seconds=1.0)
    state = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_a_missing_helper_is_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="docker-credential-nowhere, which is not there") as caught:
        docker(tmp_path, {"credsStore": "nowhere"}).find("registry.example", "a")
    assert "Install docker-credential-nowhere" in caught.value.hint
