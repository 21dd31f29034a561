"""The scripts run in a real bash: what reaches the keystore is a JSON string, and no secret is ever an argument.

Kibana itself is not to be had here, so a program in its place records its arguments and what it is given.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from preconfigured import INSTALLS, Connector, Pki, UsageError, keystore_script, render_all
from preconfigured.keystore import Install
from tests.preconfigured.wishes import EVERYTHING, URL, stack

RECORDER = """\
#!/bin/bash
printf '%s\\n' "$0 $*" >>"$RECORD/argv"
case " $* " in
  *" list "*) [ -e "$RECORD/created" ];;
  *" create secret "*) cat >"$RECORD/put-$(grep -c 'create secret' "$RECORD/argv")";;
  *" apply "*) cat >/dev/null;;
  *" create "*) touch "$RECORD/created";;
  *" add "*) cat >"$RECORD/put-$(grep -c ' add ' "$RECORD/argv")";;
esac
"""
TOKENS = ["12345678", 'a"b\\c', "$(touch pwned)`id`'; %s \\n é", " spaces at both ends "]


def run(tmp_path: Path, script: str, typed: str) -> subprocess.CompletedProcess[str]:
    home = tmp_path / "kibana"
    (home / "bin").mkdir(parents=True)
    for path in (home / "bin" / "kibana-keystore", home / "bin" / "docker", home / "bin" / "kubectl"):
        path.write_text(RECORDER)
        path.chmod(0o755)
    env = {
        "PATH": f"{home / 'bin'}:/usr/bin:/bin",
        "RECORD": str(tmp_path),
        "KIBANA_HOME": str(home),
        "KIBANA_CONTAINER": "kibana",
        "NAMESPACE": "elastic",
    }
    bash = shutil.which("bash")
    assert bash, "bash is part of what the scripts need"
    return subprocess.run(
        [bash, "-c", script], input=typed, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=30
    )


@pytest.mark.parametrize("install", ["archive", "docker", "eck"])
@pytest.mark.parametrize("token", TOKENS)
def test_a_token_arrives_as_a_json_string_and_never_in_argv(tmp_path: Path, install: Install, token: str) -> None:
    wish = Connector("vllm", "vLLM", "vllm", URL, "m")
    done = run(tmp_path, keystore_script(render_all([wish], stack()), install), token + "\n")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "put-1").read_text(encoding="utf-8")) == token
    argv = (tmp_path / "argv").read_text()
    assert "xpack.actions.preconfigured.vllm.secrets.apiKey" in argv
    assert "read -rs" in keystore_script(render_all([wish], stack()), install), "typing must not show"
    assert token not in argv + done.stdout + done.stderr
    assert not (tmp_path / "pwned").exists()


def test_files_arrive_as_strings(tmp_path: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\n" + "QUJD" * 60 + "\n-----END PRIVATE KEY-----\n"
    key = {"type": "service_account", "private_key": 'a\nb\\"c'}
    certificate, key_file = tmp_path / "it's a.pem", tmp_path / "k.json"
    certificate.write_text(pem)
    key_file.write_text(json.dumps(key, indent=2))
    wishes = [
        Connector("vllm", "vLLM", "vllm", URL, "m", pki=Pki(str(certificate), str(certificate))),
        Connector("gemini", "G", "gemini", region="europe-west3", project="p", credentials=str(key_file)),
    ]
    done = run(tmp_path, keystore_script(render_all(wishes, stack()), "archive"), "")
    assert done.returncode == 0, done.stderr
    puts = [json.loads((tmp_path / f"put-{n}").read_text()) for n in (1, 2, 3)]
    assert [base64.b64decode(put).decode() for put in puts[:2]] == [pem, pem]
    assert isinstance(puts[2], str)
    assert json.loads(puts[2]) == key


def test_nothing_typed_stores_nothing(tmp_path: Path) -> None:
    wish = Connector("vllm", "vLLM", "vllm", URL, "m")
    done = run(tmp_path, keystore_script(render_all([wish], stack()), "archive"), "\n")
    assert done.returncode == 1
    assert "apiKey is empty: nothing stored" in done.stderr
    assert not (tmp_path / "put-1").exists()


@pytest.mark.parametrize("install", INSTALLS)
def test_every_script_is_bash_and_names_every_secret(install: Install) -> None:
    rendered = render_all(EVERYTHING, stack())
    script = keystore_script(rendered, install)
    subprocess.run(["bash", "-n", "-c", script], check=True)
    for connector in rendered:
        for secret in connector.secrets:
            named = f"xpack.actions.preconfigured.{connector.id}.secrets.{secret.name}" in script
            assert named == (secret.form != "empty")
    assert ("secureSettings" in script) == (install == "eck")
    assert ("--stdin" in script) == (install != "eck")


def test_another_way_of_installing_is_refused() -> None:
    with pytest.raises(UsageError, match="install: expected one of archive, deb, rpm, docker, eck, found 'snap'"):
        keystore_script((), "snap")  # type: ignore[arg-type]
