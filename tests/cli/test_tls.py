"""``llm-bundle tls``: what it prints is what Kibana's own schema takes, and wrong calls."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bundler.cli.main import call
from bundler.cli.tls_options import AT_KIBANA
from preconfigured import Connector, Settings, StackVersion, snippet
from preconfigured.check.run import check
from tests.counterparts.need import need

NAME = "llm.example.internal"
STACK = StackVersion.parse("9.2.0")


def test_what_kibana_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "ca"
    args = ["tls", "make-ca", "--server-name", NAME, "--out", str(out), "--port", "8443", "--json"]
    assert call(args) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ca"], document["names"]) == (str(out / "ca.crt"), [NAME])
    connector = Connector(
        id="vllm", name="v", provider="vllm", url=f"https://{NAME}:8443/v1/chat/completions", model="m"
    )
    whole = snippet([connector], Settings(private_ca=AT_KIBANA), stack=STACK).text
    ours = YAML(typ="safe").load(StringIO(document["kibana_yml"]))
    theirs = YAML(typ="safe").load(StringIO(whole))
    assert ours["xpack.actions.customHostSettings"] == theirs["xpack.actions.customHostSettings"]
    alone = snippet([connector], Settings(), stack=STACK).text + document["kibana_yml"]
    place = tmp_path / "kibana.yml"
    place.write_text(alone)
    rules = {finding.rule for finding in check(place, stack=STACK)}
    assert not rules & {"untrusted-host", "host-url", "unknown-key", "duplicate-host"}, rules


def test_the_text_says_where_each_file_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["tls", "make-ca", "--server-name", NAME, "--root", str(tmp_path / "site")]) == 0
    out = capsys.readouterr().out
    for said in ("secrets/ca/ca.crt: every Kibana host", "ca.key: keep it secret", f"private_ca: {AT_KIBANA}"):
        assert said in out
    assert call(["tls", "renew", "--root", str(tmp_path / "site"), "--days", "30"]) == 0
    captured = capsys.readouterr()
    assert "customHostSettings" not in captured.out
    assert "next: reload the proxy" in captured.err
    actions = [json.loads(line)["event"]["action"] for line in (tmp_path / "site/audit.log").read_text().splitlines()]
    assert actions == ["tls make-ca", "tls renew"]


def test_a_passphrase(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out, file = tmp_path / "ca", tmp_path / "phrase"
    file.write_text("three words here\n")
    made = ["tls", "make-ca", "--server-name", NAME, "--out", str(out)]
    assert call([*made, "--encrypt"]) == 2
    assert "there is no terminal to ask at" in capsys.readouterr().err
    assert call([*made, "--password-file", str(file)]) == 0
    assert call(["tls", "renew", "--out", str(out)]) == 2
    assert "ca.key: its passphrase is needed" in capsys.readouterr().err
    monkeypatch.setenv("LLM_BUNDLE_KEY_PASSWORD", "three words here")
    assert call(["tls", "renew", "--out", str(out)]) == 0
    monkeypatch.setenv("LLM_BUNDLE_KEY_PASSWORD", "other")
    assert call(["tls", "renew", "--out", str(out)]) == 2
    captured = capsys.readouterr()
    assert "the passphrase is wrong" in captured.err
    assert "other" not in captured.err


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["make-ca"], 2, "Missing option '--server-name'"),
        (["make-ca", "--server-name", "a/b"], 2, "expected a host name or an IP address, found 'a/b'"),
        (["make-ca", "--server-name", "a", "--root", "x", "--out", "y"], 2, "--root and --out contradict each other"),
        (["make-ca", "--server-name", "a", "--out", "y", "--days", "826"], 2, "--days"),
        (["make-ca", "--server-name", "a", "--out", "file"], 6, "file: cannot make"),
        (["make-ca", "--server-name", "a", "--root", "file"], 6, "file/.lock: cannot lock"),
        (["renew", "--out", "empty"], 6, "empty/ca.crt: is not there"),
        (["renew", "--root", "empty"], 6, "empty/secrets/ca/ca.crt: is not there"),
        (["make_ca"], 2, "Did you mean 'make-ca'?"),
    ],
)
def test_wrong_calls(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    assert call(["tls", *args]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    ("more", "words", "hint"),
    [
        (["--ip", "999.1.1.1"], "--ip: expected an IP address, found '999.1.1.1'", "192.0.2.7"),
        (["--ip", "llm2.example.internal"], "--ip: expected an IP address", "192.0.2.7"),
        (["--server-name", "not a name"], "--server-name: expected a host name", "llm.example.internal"),
        (["--encrypt"], "ca.key: its passphrase is needed", "leave --encrypt out"),
    ],
)
def test_what_was_said_wrongly_is_named(
    more: list[str], words: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["tls", "make-ca", "--server-name", NAME, "--out", str(tmp_path / "ca"), *more]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert hint in err.partition("hint: ")[2]
    assert "--no-password" not in err


# Waits where the CA's key lies in the folder and is not encrypted yet.
_SLOW = """\
#!/bin/sh
if [ "$1" = pkcs8 ]; then touch {folder}/now; sleep 20 & wait; fi
exec {program} "$@"
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_no_open_key(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "openssl"
    slow.write_text(_SLOW.format(folder=tmp_path, program=need("openssl", "openssl")))
    slow.chmod(0o755)
    (tmp_path / "password").write_text("correct horse battery staple\n")
    line = [sys.executable, "-m", "bundler.cli.main", "tls", "make-ca", "--server-name", NAME]
    line += ["--out", str(tmp_path / "ca"), "--password-file", str(tmp_path / "password")]
    environment = {**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"}
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30
        while not (tmp_path / "now").exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
    assert (process.returncode, "stopped" in said) == (130, True)
    assert [path for path in (tmp_path / "ca").rglob("*") if path.is_file()] == []
