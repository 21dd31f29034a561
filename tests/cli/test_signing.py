"""keygen, sign, build with a key, verify and unpack with one: what a user types and sees."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bundler.cli.main import call
from tests.cli.bench import TOP, Bench
from tests.trust.stage import SECRET, key_called, write_private, write_public

TAR = f"{TOP}.tar"
VARIABLE = "LLM_BUNDLE_KEY_PASSWORD"
ROOT = Path(__file__).parent.parent.parent
# Run in a child: no cryptography library, and no socket is ever made.
_BARE = """
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "cryptography":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Without())
sys.addaudithook(lambda event, args: event.startswith("socket.") and sys.exit(f"{event}{args}"))
from bundler.cli.main import call
sys.exit(call(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def place(bench: Bench) -> Path:
    """The current folder, with an unsigned bundle and keys."""
    bench.built()
    write_private(bench.folder, "alice")
    write_private(bench.folder, "bob", SECRET)
    write_public(bench.folder, "alice")
    return bench.folder


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    """What the command prints with --json."""
    capsys.readouterr()
    assert call([*arguments, "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def child(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a Python without the library that may not open a socket."""
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], VARIABLE: SECRET.decode()}
    return subprocess.run(
        [sys.executable, "-c", _BARE, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_sign_then_verify(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alice = {"key": "alice.key", "id": key_called("alice").public.name.id}
    signed = answer(capsys, "sign", TAR, "--key", "alice.key", "-q")
    assert (signed["signed_by"], signed["written"]) == (alice, [TAR])
    report = answer(capsys, "verify", TAR, "--key", str(place))
    assert (report["signature"], report["signed_by"]) == ("valid", {**alice, "key": "alice.pub"})
    assert report["manifest_sha256"] == signed["manifest_sha256"]
    assert answer(capsys, "verify", TAR)["signature"] == "unchecked"


def test_what_is_refused_says_so_and_unpacks_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["verify", TAR], ["unpack", TAR, "site"]):
        report = answer(capsys, *command, "--key", "alice.pub", code=5)
        assert (report["ok"], report["signature"], report["signed_by"]) == (False, "absent", None)
        call([*command, "--key", "alice.pub"])
        out = capsys.readouterr().out
        assert "REFUSED SHA256SUMS.sig: is not there: the bundle is not signed" in out
        assert "Do not use the bundle" in out
    answer(capsys, "build", "--force", "--key", "bob.key", "-q", "--password-file", passphrase_file(place))
    report = answer(capsys, "unpack", TAR, "site", "--key", "alice.pub", code=5)
    assert (report["signature"], report["path"]) == ("invalid", None)
    assert f"alice.pub (key id {key_called('alice').public.name.id})" in report["damaged"][0]["reason"]
    assert not (place / "site").exists()


def passphrase_file(place: Path) -> str:
    (place / "words").write_bytes(SECRET + b"\r\nand a second line\n")
    return "words"


def test_without_a_key_it_says_that_nobody_was_checked(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(["verify", TAR])
    assert "signature: none; who made the bundle was not checked" in capsys.readouterr().out
    call(["sign", TAR, "--key", "alice.key"])
    call(["verify", TAR])
    text = "signature: there, but no --key was given: who made the bundle was not checked"
    assert text in capsys.readouterr().out


@pytest.mark.parametrize("way", ["option", "file", "variable"])
def test_build_signs(place: Path, bench: Bench, capsys: pytest.CaptureFixture[str], way: str) -> None:
    plain = (place / TAR).read_bytes()
    key = {"option": "bob.key", "file": "alice.key", "variable": "TEAM_KEY"}[way]
    bench.patch.setenv("TEAM_KEY", key_called("alice").pem(SECRET).decode())
    bench.patch.setenv(VARIABLE, SECRET.decode())
    bench.spec(more=f"signing: {{key: {key}}}\n")
    option = ["--key", "alice.key"] if way == "option" else []
    built = answer(capsys, "build", "--force", "-q", *option)
    assert built["signed_by"] == {"key": "TEAM_KEY" if way == "variable" else "alice.key", "id": key_id()}
    assert answer(capsys, "verify", TAR, "--key", "alice.pub")["signature"] == "valid"
    assert len((place / TAR).read_bytes()) == len(plain)
    call(["verify", TAR])
    assert "does not sign" not in capsys.readouterr().err


def key_id() -> str:
    return key_called("alice").public.name.id


def test_no_secret_is_shown(place: Path, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.patch.setenv(VARIABLE, SECRET.decode())
    assert call(["build", "--force", "--key", "bob.key"]) == 0
    assert call(["keygen", "-o", "new.key"]) == 0
    bench.patch.setenv(VARIABLE, "wrong " + SECRET.decode())
    assert call(["sign", "--force", TAR, "--key", "new.key"]) == 2
    out, err = capsys.readouterr()
    for line in [SECRET.decode(), *(place / "bob.key").read_text().splitlines()[1:-1]]:
        assert line not in out + err
    assert all(SECRET not in path.read_bytes() for path in place.iterdir() if path.is_file())


def test_a_key_that_others_may_read_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "alice.key").chmod(0o640)
    assert call(["sign", TAR, "--key", "alice.key"]) == 0
    err = capsys.readouterr().err
    assert "warning: alice.key: others than its owner may use this private key (mode 0640): chmod 600" in err
    (place / "alice.key").chmod(0o600)
    call(["sign", TAR, "--force", "--key", "alice.key"])
    assert "warning" not in capsys.readouterr().err


def test_keygen(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.patch.setenv(VARIABLE, SECRET.decode())
    made = answer(capsys, "keygen")
    assert made == {
        "private_key": "signing.key",
        "public_key": "signing.pub",
        "key_id": made["key_id"],
        "encrypted": True,
    }
    assert (bench.folder / "signing.key").stat().st_mode & 0o777 == 0o600
    assert "ENCRYPTED" in (bench.folder / "signing.key").read_text()
    bench.patch.delenv(VARIABLE)
    made = answer(capsys, "keygen", "--no-password", "-o", "open.key")
    assert (made["encrypted"], (bench.folder / "open.pub").is_file()) == (False, True)
    assert "ENCRYPTED" not in (bench.folder / "open.key").read_text()


def test_an_empty_passphrase_is_none(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.patch.setenv(VARIABLE, "")
    assert call(["keygen"]) == 2
    assert "the passphrase is empty" in capsys.readouterr().err
    assert not (bench.folder / "signing.key").exists()


def test_a_person_is_asked_twice_and_sees_nothing(bench: Bench) -> None:
    terminal, stdin = os.openpty()
    line = [sys.executable, "-m", "bundler.cli.main", "keygen", "-o", "asked.key"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # A session of its own: else the question would go to the terminal that the tests were started from.
    process = subprocess.Popen(
        line, env=environment, start_new_session=True, stdin=stdin, stdout=stdin, stderr=stdin
    )  # fmt: skip
    os.close(stdin)
    seen = b""
    for question in (b"Passphrase of asked.key: ", b"Repeat for confirmation: ", b"next: "):
        while question not in seen:
            assert select.select([terminal], [], [], 30)[0], seen
            seen += os.read(terminal, 4096)
        if question != b"next: ":
            os.write(terminal, SECRET + b"\n")
    assert process.wait(30) == 0
    os.close(terminal)
    assert SECRET not in seen
    write = f"sign x.tar --key asked.key --password-file {passphrase_file(bench.folder)}"
    assert call(write.split()) == 6  # the passphrase fits; the bundle is not there


def test_verify_needs_no_library_and_no_network(place: Path) -> None:
    assert child("verify", TAR).returncode == 0
    assert call(["sign", TAR, "--key", "alice.key", "-q"]) == 0
    good = child("verify", TAR, "--key", "alice.pub")
    assert (good.returncode, "signature: valid, by alice.pub" in good.stdout) == (0, True), good.stderr
    assert child("unpack", TAR, "site", "--key", "alice.pub").returncode == 0
    write_public(place, "bob")
    refused = child("verify", TAR, "--key", "bob.pub")
    assert (refused.returncode, "REFUSED" in refused.stdout) == (5, True)


@pytest.mark.parametrize("command", ["keygen --no-password", f"sign {TAR} --key alice.key --force"])
def test_signing_without_the_library_is_a_sentence(place: Path, command: str) -> None:
    done = child(*command.split())
    assert (done.returncode, "signing needs Python's cryptography library" in done.stderr) == (6, True), done.stderr
    assert "pip install" in done.stderr
