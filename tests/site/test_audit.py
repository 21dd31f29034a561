"""The audit log: ECS names, one line a deed, failures too."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.site.audit import audited
from bundler.site.place import Place
from bundler.site.tls.place import certificate_end
from tests.counterparts.certificates import Authority


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_deed_is_a_line_with_who_what_and_how_it_went(tmp_path: Path) -> None:
    place, path = Place(tmp_path), tmp_path / "audit.log"
    details: dict[str, str | None] = {"release": "a"}
    with audited(place, "install", details):
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
    place, path = Place(tmp_path), tmp_path / "audit.log"
    with pytest.raises(MachineError), audited(place, "rollback", {}):
        raise MachineError("the disk is full")
    with pytest.raises(KeyboardInterrupt), audited(place, "prune", {}):
        raise KeyboardInterrupt
    first, second = lines(path)
    assert (first["error"], second["error"]) == ({"message": "the disk is full"}, {"message": "interrupted"})
    assert [line["event"]["outcome"] for line in (first, second)] == ["failure", "failure"]  # type: ignore[index]


def test_who_asked_stands_beside_who_it_ran_as(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", "1000")
    monkeypatch.setenv("SUDO_USER", "ann")
    with audited(Place(tmp_path), "install", {}):
        pass
    (line,) = lines(tmp_path / "audit.log")
    assert line["user"] == {"id": "1000", "name": "ann", "effective": {"id": "0", "name": "root"}}


def test_lines_are_added_and_links_are_not_followed(tmp_path: Path) -> None:
    place, path = Place(tmp_path), tmp_path / "audit.log"
    for _ in range(2):
        with audited(place, "prune", {}):
            pass
    assert len(lines(path)) == 2
    path.rename(tmp_path / "other")
    path.symlink_to("other")
    with pytest.raises(MachineError, match="cannot write"), audited(place, "prune", {}):
        pass
    assert len(lines(tmp_path / "other")) == 2


def test_until_when_the_certificate_is_good(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "authority").mkdir()
    made = Authority(tmp_path / "authority").server("llm.example.internal")
    place.tls.mkdir(parents=True)
    shutil.copy(made.certificate, place.tls / "server.crt")
    with audited(place, "tls renew", {}):
        pass
    (place.tls / "server.crt").write_text("no certificate")
    with audited(place, "tls renew", {}):
        pass
    first, second = lines(place.audit)
    ends = datetime.fromtimestamp(certificate_end(made.certificate), timezone.utc)
    assert first["tls"] == {"server": {"not_after": ends.strftime("%Y-%m-%dT%H:%M:%S.000Z")}}
    assert "tls" not in second


def test_a_name_that_is_not_utf8_is_no_obstacle(tmp_path: Path) -> None:
    with pytest.raises(MachineError), audited(Place(tmp_path), "install", {"token": "\udcfe"}):
        raise MachineError("/media/\udcff.pem: cannot read")
    (line,) = lines(tmp_path / "audit.log")
    assert (line["error"], line["local_llm"]) == ({"message": "/media/?.pem: cannot read"}, {"token": "?"})


def test_half_a_line_of_before_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text('{"event": {"acti')
    for _ in range(2):
        with audited(Place(tmp_path), "prune", {}):
            pass
    torn, *whole = path.read_text().splitlines()
    assert torn == '{"event": {"acti'
    assert [json.loads(line)["event"]["action"] for line in whole] == ["prune", "prune"]


def test_a_clock_that_is_set_back_meanwhile_gives_no_negative_duration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with audited(Place(tmp_path), "install", {}):
        monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)
    (line,) = lines(tmp_path / "audit.log")
    assert 0 <= line["event"]["duration"] < 60e9  # type: ignore[index]
    assert line["event"]["start"] <= line["event"]["end"]  # type: ignore[index]
