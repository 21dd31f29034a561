"""The audit log: ECS names, one line a deed, failures too."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.site.audit import audited


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_deed_is_a_line_with_who_what_and_how_it_went(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    details: dict[str, str | None] = {"release": "a"}
    with audited(path, "install", details):
        details["url"] = "https://llm.test"
        details["nothing"] = None
    (line,) = lines(path)
    event = line["event"]
    assert isinstance(event, dict)
    assert (event["action"], event["outcome"], event["dataset"]) == ("install", "success", "local_llm.audit")
    assert event["duration"] >= 0
    assert line["local_llm"] == {"release": "a", "url": "https://llm.test"}
    assert str(line["@timestamp"]).endswith("Z")
    assert line["user"] == {"id": str(os.geteuid()), "name": line["user"]["name"]}  # type: ignore[index]
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_deed_that_failed_says_why(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    with pytest.raises(MachineError), audited(path, "rollback", {}):
        raise MachineError("the disk is full")
    with pytest.raises(KeyboardInterrupt), audited(path, "prune", {}):
        raise KeyboardInterrupt
    first, second = lines(path)
    assert (first["error"], second["error"]) == ({"message": "the disk is full"}, {"message": "interrupted"})
    assert [line["event"]["outcome"] for line in (first, second)] == ["failure", "failure"]  # type: ignore[index]


def test_who_asked_stands_beside_who_it_ran_as(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", "1000")
    monkeypatch.setenv("SUDO_USER", "ann")
    with audited(tmp_path / "audit.log", "install", {}):
        pass
    (line,) = lines(tmp_path / "audit.log")
    assert line["user"] == {"id": "1000", "name": "ann", "effective": {"id": "0", "name": "root"}}


def test_lines_are_added_and_links_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    for _ in range(2):
        with audited(path, "prune", {}):
            pass
    assert len(lines(path)) == 2
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(MachineError, match="cannot write"), audited(tmp_path / "link", "prune", {}):
        pass
