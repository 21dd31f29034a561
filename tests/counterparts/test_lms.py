"""The stand-in of LM Studio refuses, prints and logs what the real one does."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counterparts.lms import LmStudio
from tests.counterparts.port import free_port


@pytest.fixture
def lmstudio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LmStudio]:
    with LmStudio(tmp_path) as found:
        monkeypatch.setenv("HOME", str(found.user_home))
        for name in ("a/b/one.gguf", "a/b/mmproj-one.gguf", "a/too-high.gguf", "a/b/c/too-deep.gguf"):
            path = found.home / "models" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"GGUF")
        yield found


def lms(found: LmStudio, words: str) -> subprocess.CompletedProcess[str]:
    command = [str(found.program), *words.split()]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_it_lists_what_lies_at_its_depth(lmstudio: LmStudio) -> None:
    (row,) = json.loads(lms(lmstudio, "ls --json").stdout)
    assert (row["path"], row["modelKey"], row["type"]) == ("a/b/one.gguf", "one", "llm")
    assert (lmstudio.user_home / ".lmstudio-home-pointer").read_text() == str(lmstudio.home)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("load --exact a/b/two.gguf", "Model not found"),
        ("load a/b/one.gguf", "Model not found"),
        ("load a/b/one.gguf -y", "Model not found"),
        ("load --exact a/b/one.gguf --ttl none", "argument --ttl"),
        ("load --exact a/b/one.gguf --gpu 2", "argument --gpu"),
        ("load --exact a/b/one.gguf --context-length 0", "argument -c/--context-length"),
        ("load --exact a/b/one.gguf --context-length 999999", "Context length is over"),
        ("load --exact a/b/one.gguf --unknown", "unrecognized arguments"),
        ("server stop", "not running"),
        ("server start --port x", "argument -p/--port"),
        ("fetch", "unknown command"),
    ],
)
def test_what_it_refuses(lmstudio: LmStudio, words: str, said: str) -> None:
    done = lms(lmstudio, words)
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert lmstudio.loaded == []


def test_loaded_listed_unloaded(lmstudio: LmStudio) -> None:
    assert lms(lmstudio, "load --exact a/b/one.gguf --identifier x -c 5 --gpu max -y").returncode == 0
    assert lms(lmstudio, "load --exact a/b/one.gguf --identifier x -y").returncode == 1
    (row,) = json.loads(lms(lmstudio, "ps --json").stdout)
    assert (row["identifier"], row["contextLength"], row["ttlMs"]) == ("x", 5, None)
    assert lms(lmstudio, "unload y").returncode == 0
    assert lmstudio.loaded == ["x"]
    assert lms(lmstudio, "unload x").returncode == 0
    assert lmstudio.loaded == []


def test_the_daemon(lmstudio: LmStudio) -> None:
    assert json.loads(lms(lmstudio, "daemon status --json").stdout) == {"status": "not-running"}
    lms(lmstudio, "daemon up")
    assert json.loads(lms(lmstudio, "daemon status --json").stdout)["status"] == "running"
    lmstudio.behave(daemon=False)
    assert lms(lmstudio, "daemon status").returncode == 1


def test_its_server_and_its_log(lmstudio: LmStudio) -> None:
    port = free_port()
    assert "Success!" in lms(lmstudio, f"server start --port {port}").stdout
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert lms(lmstudio, f"server start --port {other.getsockname()[1]}").returncode == 1
    assert "Success!" in lms(lmstudio, f"server start --port {port}").stdout
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/no/such/path", timeout=10) as answer:
        assert (answer.status, "Unexpected endpoint" in answer.read().decode()) == (200, True)
    lines = lmstudio.log().splitlines()
    assert all(re.match(r"\[\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\]\[(INFO|ERROR)\]", line) for line in lines)
    assert lines[-1].endswith("[ERROR] Unexpected endpoint or method. (GET /no/such/path). Returning 200 anyway")
    assert lms(lmstudio, "server stop").returncode == 0
    assert json.loads(lms(lmstudio, "server status --json").stdout)["running"] is False


def test_calls_are_written_down(lmstudio: LmStudio) -> None:
    lms(lmstudio, "version --json")
    (call,) = lmstudio.calls
    assert (call.line, call.cwd) == ("version --json", str(Path.cwd()))
    assert call.environment["HOME"] == str(lmstudio.user_home)
