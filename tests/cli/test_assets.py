"""``llm-bundle assets build``."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from bundler.cli.main import call
from bundler.digest import Digest
from kibana_assets.package.build import build
from kibana_assets.package.tree import load


def test_a_zip_for_fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["assets", "build", "--output", str(tmp_path / "new"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    data = Path(said["path"]).read_bytes()
    assert (said["size"], said["digest"]) == (len(data), str(Digest.of(data)))
    with zipfile.ZipFile(said["path"]) as file:
        assert sorted(name.split("/", 1)[1] for name in file.namelist()) == said["files"]


def test_what_is_there_stays_unless_it_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / build(load()).name
    assert call(["assets", "build", "-o", str(tmp_path)]) == 0
    assert call(["assets", "build", "-o", str(tmp_path)]) == 0
    path.write_bytes(b"mine")
    capsys.readouterr()
    assert call(["assets", "build", "-o", str(tmp_path)]) == 6
    assert "is there already, and is another" in capsys.readouterr().err
    assert path.read_bytes() == b"mine"
    assert call(["assets", "build", "-o", str(tmp_path), "--force"]) == 0
    assert path.read_bytes() == build(load()).data


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert call(["assets", "build", "-o", str(tmp_path / "file" / "x")]) == 6
    assert "Traceback" not in capsys.readouterr().err


def test_a_package_that_is_broken_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.yml").write_text("name: [")
    monkeypatch.setattr("kibana_assets.package.tree.CHECKOUT", tmp_path)
    assert call(["assets", "build", "-o", str(tmp_path)]) == 3
    assert "manifest.yml:1:8: not YAML" in capsys.readouterr().err
