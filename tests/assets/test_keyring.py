"""Secrets from the keyring, by the real program with a plain file of the test's own; and a password from a file."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bundler.cli.main import call
from kibana_assets.connection.keyring import ask
from kibana_assets.connection.login import password_of
from kibana_assets.errors import MachineError, UsageError
from tests.assets.plain import Plain

VERSION = '{"version": {"number": "8.0.0", "build_flavor": "default"}}'
"""Too old: a command ends at once, and has logged in."""
SECRET = "pass wörd "
KEY = "abcdef123456:s3cr3ts3cr3t"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an empty keyring, which the real program reads and writes."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    for name in ("ELASTICSEARCH_PASSWORD", "ELASTICSEARCH_API_KEY", "ELASTICSEARCH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def store(service: str, name: str, secret: str) -> None:
    subprocess.run(["keyring", "set", service, name], input=secret.encode(), check=True, timeout=20)


def other(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Another program of that name."""
    path = folder / "bin" / "keyring"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


def said_of(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, list[str]]:
    """Exit code and stderr of a command that asks a server; the logins that this one saw."""
    with Plain(VERSION) as server:
        code = call(["assets", "status", "--elasticsearch", server.url, *args])
        logins = server.logins
    return code, capsys.readouterr().err, logins


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_the_users_password_and_the_api_key(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store("site one", "elastic", SECRET)
    store("site one", "api-key", KEY)
    assert said_of(capsys, "--user", "elastic", "--keyring", "site one")[2] == [basic("elastic", SECRET)]
    code, errors, logins = said_of(capsys, "--keyring", "site one")
    assert logins == ["ApiKey " + base64.b64encode(KEY.encode()).decode()]
    assert (code, "expected 8.19 or newer" in errors) == (7, True)


def test_what_is_asked_for_comes_before_what_the_environment_has(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store("site", "elastic", SECRET)
    monkeypatch.setenv("ELASTICSEARCH_PASSWORD", "another")
    (home / "file").write_text(f"{SECRET}\n")
    for more in (("--keyring", "site"), ("--password-file", str(home / "file"))):
        assert said_of(capsys, "--user", "elastic", *more)[2] == [basic("elastic", SECRET)]


def test_no_such_entry(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for args, name in (((), "api-key"), (("--user", "it's me"), "it's me")):
        code, errors, logins = said_of(capsys, "--keyring", "my site", *args)
        assert (code, logins) == (2, [])
        assert f"--keyring my site: it has no entry {name}" in errors
        typed = errors.split("Store it: ")[1].strip()
        subprocess.run(["sh", "-c", typed], input=KEY.encode(), check=True, timeout=20)
        assert ask("my site", name) == KEY, "the command that is printed stores it"


def test_an_entry_that_is_no_api_key(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store("site", "api-key", "s3cr3t!")
    code, errors, _ = said_of(capsys, "--keyring", "site")
    assert (code, "--keyring site: the entry api-key: expected an API key" in errors) == (2, True)
    assert "s3cr3t" not in errors


def test_no_program(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(MachineError, match="there is no program keyring") as refused:
        ask("site", "elastic")
    assert "python3-keyring" in refused.value.hint
    (home / "keyring").write_text("#!/no/such/interpreter\n")
    (home / "keyring").chmod(0o755)
    with pytest.raises(MachineError, match="No such file or directory"):
        ask("site", "elastic")


def test_a_keyring_that_fails(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with pytest.raises(MachineError, match=r"failed: keyring\.errors\.NoKeyringError: No recommended") as refused:
        ask("site", "elastic")
    assert "\n" not in refused.value.message
    assert "keyring diagnose" in refused.value.hint


def test_a_keyring_that_is_locked_and_asks_on_the_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other(home, monkeypatch, "exec < /dev/tty; read -r answer; echo $answer")
    with pytest.raises(MachineError, match=r"failed: .*/dev/tty"):
        ask("site", "elastic")
    other(home, monkeypatch, 'read -r answer || { echo "s3cr3t"; echo "locked: s3cr3t" >&2; exit 3; }')
    with pytest.raises(MachineError, match="keyring failed: locked: …"):
        ask("site", "elastic")


def test_it_does_not_read_what_is_typed_for_us(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other(home, monkeypatch, "read -r answer || { echo locked >&2; exit 3; }")
    (reads, writes), before = os.pipe(), os.dup(0)
    os.dup2(reads, 0)
    try:
        with pytest.raises(MachineError, match="keyring failed: locked"):
            ask("site", "elastic", seconds=5)
    finally:
        os.dup2(before, 0)
        for number in (reads, writes, before):
            os.close(number)


def test_one_that_never_answers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other(home, monkeypatch, "sleep 77 & wait")
    begun = time.monotonic()
    with pytest.raises(MachineError, match=r"gave no answer in 0\.2 s"):
        ask("site", "elastic", seconds=0.2)
    assert time.monotonic() - begun < 5


def test_one_that_leaves_something_behind_which_holds_its_outputs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other(home, monkeypatch, "echo s3cr3t; sleep 4 &")
    begun = time.monotonic()
    assert ask("site", "elastic") == "s3cr3t"
    assert time.monotonic() - begun < 3.5


@pytest.mark.parametrize(
    "script",
    ["echo s3cr3t; echo s3cr3t", "head -c 100000 /dev/zero | tr '\\0' s", "printf '\\377\\n'", "printf ''", "echo"],
)
def test_what_is_no_secret(home: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    other(home, monkeypatch, script)
    with pytest.raises(UsageError, match="--keyring site: the entry me: expected one line of text") as refused:
        ask("site", "me")
    assert "s3cr3t" not in refused.value.message + refused.value.hint
    assert len(refused.value.message) < 100


@pytest.mark.parametrize(("service", "name"), [("-h", "me"), ("site", "--all"), ("", "me"), ("a\nb", "me"), ("s", "")])
def test_names_that_the_program_would_take_for_something_else(service: str, name: str) -> None:
    with pytest.raises(UsageError, match="expected a plain name for the keyring"):
        ask(service, name)


def test_what_excludes_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "file")
    where = ["assets", "status", "--elasticsearch", "http://localhost:9"]
    for args, found in (
        (["--keyring", "s", "--api-key-file", file], "--user and --keyring exclude each other"),
        (["--keyring", "s", "--token-file", file], "--user and --keyring exclude each other"),
        (["--user", "u", "--api-key-file", file], "--user and --keyring exclude each other"),
        (["--user", "u", "--password-file", file, "--keyring", "s"], "--password-file and --keyring exclude"),
        (["--password-file", file], "--password-file: expected --user beside it"),
        (["--user", "u", "--password-file", file], "No such file"),
    ):
        assert call([*where, *args]) == 2
        assert found in capsys.readouterr().err


def test_a_password_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    for text in (SECRET, f"{SECRET}\n", f"{SECRET}\r\n"):
        path.write_bytes(text.encode())
        assert password_of(path, "--password-file") == SECRET
    for wrong in ("", "\n", "s3cr3t\nmore\n", "x" * 9000):
        path.write_text(wrong)
        with pytest.raises(UsageError, match="expected one line of text") as refused:
            password_of(path, "--password-file")
        assert "s3cr3t" not in refused.value.message
