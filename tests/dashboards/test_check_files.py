"""Files that are checked, good ones and hostile ones, and the command."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from bundler.cli.main import call
from kibana_assets.check import files
from kibana_assets.check.files import read
from kibana_assets.check.run import check_objects
from kibana_assets.dashboards.encode import encoded
from kibana_assets.dashboards.objects import dashboards, data_views, ndjson, objects
from kibana_assets.errors import PackageError
from kibana_assets.package.build import build
from kibana_assets.package.tree import load
from tests.dashboards.small_board import board


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in members.items():
            opened.writestr(name, data)
    return made.getvalue()


def test_ours_as_a_file_of_either_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, package = tmp_path / "ours.ndjson", tmp_path / "ours.zip"
    lines.write_bytes(ndjson([*data_views(), *objects(dashboards(load()))]) + b'{"exportedCount": 8}\n')
    package.write_bytes(build(load()).data)
    assert call(["assets", "check", str(lines), str(package)]) == 0
    assert capsys.readouterr().out == "nothing is wrong\n"
    assert len(read(lines.read_bytes(), "x").objects) == 8
    assert read(package.read_bytes(), "x").tree is not None


def test_ours_from_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["assets", "check"]) == 0
    assert capsys.readouterr().out == "nothing is wrong\n"


def test_a_bad_file_gives_findings_and_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.ndjson"
    file.write_text(json.dumps(encoded(board())))
    assert call(["assets", "check", str(file), "--json"]) == 8
    said = json.loads(capsys.readouterr().out)["findings"]
    assert {one["rule"] for one in said} >= {"fields_are_declared", "datasets_are_declared"}
    assert all(one["place"].startswith(f"{file}: local_llm-small") for one in said)
    assert call(["assets", "check", str(file)]) == 8
    assert capsys.readouterr().out.endswith(f"{len(said)} found\n")


def test_a_zip_is_checked_by_its_own_fields() -> None:
    built = build(load())
    path = "data_stream/proxy_access/fields/ecs.yml"
    kept = built.files[path].decode().replace('- name: "tls.version"\n', '- name: "tls.versions"\n')
    assert kept != built.files[path].decode()
    made = {f"{built.folder}/{name}": data for name, data in (built.files | {path: kept.encode()}).items()}
    found = read(zipped(made), "x.zip")
    assert found.tree is not None
    assert {one.rule for one in check_objects(found.objects, found.tree)} == {"fields_are_declared"}


HOSTILE = {
    b"": "no saved objects",
    b"\xff\xfe": "neither UTF-8 nor a zip file",
    b"{}\n[1]\n": "x:2: expected a saved object",
    b'{"a": ': "x:1: not JSON: Expecting value: line 1 column 7",
    b"[" * 100_000: "nested too deep",
    b"PK\x03\x04broken": "not a zip file that can be read",
    zipped({"a/x.yml": b"", "b/x.yml": b""}): "2 top folders, expected one",
    zipped({"a/kibana/dashboard/x.json": b"{"}): "kibana/dashboard/x.json:1:2: not JSON",
    zipped({"a/manifest.yml": b" " * (9 << 20)}): "manifest.yml: too large",
    zipped({"a/manifest.yml": b"x" * 1000})[:-40]: "not a zip file that can be read",
}


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_is_told(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PackageError) as raised:
        read(data, "x")
    assert HOSTILE[data] in raised.value.message
    (tmp_path / "x").write_bytes(data)
    assert call(["assets", "check", str(tmp_path / "x")]) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_a_zip_bomb_and_a_file_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_MOST_INSIDE", 1 << 20)
    with pytest.raises(PackageError, match="too large for a package"):
        read(zipped({f"a/{number}.json": b" " * (1 << 18) for number in range(6)}), "x")
    monkeypatch.setattr(files, "MOST_NDJSON", 10)
    with pytest.raises(PackageError, match="11 bytes, expected 10 at most"):
        read(b"{" + b" " * 10, "x")
    monkeypatch.setattr(files, "MOST_NDJSON", 1000)
    monkeypatch.setattr(files, "MOST_OBJECTS", 2)
    with pytest.raises(PackageError, match="over 2 objects"):
        read(b"{}\n" * 3, "x")
    monkeypatch.setattr(files, "MOST_ZIP", 10)
    with pytest.raises(PackageError, match="Fleet's limit"):
        read(zipped({"a/x.yml": b""}), "x")


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["assets", "check", "/nowhere.ndjson"]) == 6
    assert "/nowhere.ndjson" in capsys.readouterr().err
