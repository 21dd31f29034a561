"""Reading sources: what is left out, what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from kibana_assets.errors import MachineError, PackageError
from kibana_assets.package import tree as module
from kibana_assets.package.streams import pipelines, streams
from kibana_assets.package.tree import MOST_BYTES, load, parse_json, parse_yaml, read_tree
from tests.kibana_assets.package.small import changed, small


def write(folder: Path, **files: bytes) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def test_tests_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, **{"b/c.yml": b"a: 1", "a.txt": b"", ".hidden": b"", "b/_dev/test.log": b"", "b/.x/y": b""})
    found = read_tree(tmp_path)
    assert list(found.files) == ["a.txt", "b/c.yml"]
    assert found.yaml("b/c.yml") == {"a": 1}


def test_a_zip_file_is_as_good_as_a_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as file:
        file.writestr("local_llm/manifest.yml", "name: a")
    assert read_tree(zipfile.Path(tmp_path / "z.zip", "local_llm/")).yaml("manifest.yml") == {"name": "a"}


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    write(tmp_path, big=bytes(MOST_BYTES + 1))
    with pytest.raises(PackageError, match="big: larger than 8388608 bytes"):
        read_tree(tmp_path)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(MachineError, match="cannot be read: No such file"):
        read_tree(tmp_path)


def test_an_installation_without_its_package_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKOUT", tmp_path)
    with pytest.raises(MachineError, match="has lost its integration package") as caught:
        load()
    assert "Install" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2\n", r"x\.yml:2:1: not YAML: .*duplicate key"),
        ("a: !!python/name:os.system x\n", r"x\.yml:1:4: not YAML: could not determine a constructor"),
        ("[" * 5000, r"x\.yml"),
        ("a: 2026-99-99\n", r"x\.yml: not YAML: "),
        ("\x00", r"x\.yml"),
    ],
)
def test_bad_yaml(text: str, says: str) -> None:
    with pytest.raises(PackageError, match=says):
        parse_yaml(text, "x.yml")


def test_bad_json() -> None:
    with pytest.raises(PackageError, match="nested too deep"):
        parse_json("[" * 100_000, "x.json")
    with pytest.raises(PackageError, match=r"log\.json: byte 1: not UTF-8"):
        type(small())({"log.json": b'"\xff"'}).json("log.json")


def test_a_call_of_a_pipeline_that_is_not_there() -> None:
    tree = changed(
        "data_stream/log/elasticsearch/ingest_pipeline/default.yml", 'IngestPipeline "second"', 'IngestPipeline "x"'
    )
    with pytest.raises(PackageError, match=r"default\.yml: calls the pipeline 'x': expected one of default, second"):
        pipelines(tree, streams(tree)[0])


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("manifest.yml", "[]", "expected a mapping"),
        ("manifest.yml", "name: a\nversion: 1.0\n", "version: found 1.0, expected a text"),
        ("data_stream/log/manifest.yml", "title: a\n", "type: found None, expected a text"),
    ],
)
def test_a_manifest_that_is_none(path: str, text: str, says: str) -> None:
    with pytest.raises(PackageError, match=says):
        streams(small(**{path: text}))


def test_a_pipeline_that_is_none() -> None:
    tree = small(**{"data_stream/log/elasticsearch/ingest_pipeline/second.yml": "--- [1]\n"})
    with pytest.raises(PackageError, match=r"second\.yml: not a pipeline"):
        pipelines(tree, streams(tree)[0])
