"""What is shown of LM Studio's log: events, never what people asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundler.site.lmstudio.logs import last_events

LOG = """\
[2026-11-01 10:00:00][INFO][LM STUDIO SERVER] Success! HTTP server listening on port 1234
[2026-11-01 10:00:01][DEBUG][org/m] Received request: POST to /v1/chat/completions with body {
  "messages": [{"role": "user", "content": "SECRET-PROMPT"}]
}
SECRET-RAW
[2026-11-01 10:00:01][DEBUG][org/m] Received POST request to /v1/chat/completions with body: {"a": "SECRET-BODY"}
[2026-11-01 10:00:01][ERROR][org/m] Received request for /v1/x with invalid JSON: SECRET-JSON
[2026-11-01 10:00:02][INFO][org/m] Model generated tool calls: [SECRET-CALL]
[2026-11-01 10:00:02][INFO][org/m] Generated prediction: SECRET-ANSWER
[2026-11-01 10:00:03][ERROR] Unexpected endpoint or method. (GET /). Returning 200 anyway
[2026-11-01 10:00:04][ERROR] \x1b[31mred\x1b[0m
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "server-logs" / "2026-11"
    folder.mkdir(parents=True)
    (folder / "2026-11-01.9.log").write_text("[2026-11-01 09:00:00][INFO] old\n")
    (folder / "2026-11-01.10.log").write_text(LOG)
    return tmp_path


def test_events_without_bodies(home: Path) -> None:
    lines = last_events(home, 50).splitlines()
    assert len(lines) == 8
    assert lines[0].endswith("listening on port 1234")
    assert lines[1] == "[2026-11-01 10:00:01][DEBUG][org/m] Received request: POST to /v1/chat/completions"
    assert lines[-1] == "[2026-11-01 10:00:04][ERROR] red"
    assert "SECRET" not in "".join(lines)
    assert "Returning 200 anyway" in lines[-2]


def test_the_last_ones(home: Path) -> None:
    assert last_events(home, 1) == "[2026-11-01 10:00:04][ERROR] red\n"
    assert last_events(home, 0) == ""


def test_nothing_there(tmp_path: Path) -> None:
    assert last_events(tmp_path, 50) == ""


def test_a_line_without_end(home: Path) -> None:
    path = home / "server-logs" / "2026-11" / "2026-11-02.1.log"
    path.write_bytes(b"x" * (3 << 20) + b"\n[2026-11-02 10:00:00][INFO] " + b"y" * 1000 + b"\n")
    (line,) = last_events(home, 50).splitlines()
    assert len(line) <= 300


def test_no_file_of_its_own(home: Path) -> None:
    path = home / "server-logs" / "2026-12"
    path.mkdir()
    os.mkfifo(path / "2026-12-01.1.log")
    assert "cannot read" in last_events(home, 5) or last_events(home, 5) == ""
    (path / "2026-12-02.1.log").symlink_to("/etc/passwd")
    assert "cannot read" in last_events(home, 5)
