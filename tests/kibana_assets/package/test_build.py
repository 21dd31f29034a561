"""The zip file: the same bytes everywhere, read by Python, unzip and bsdtar."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kibana_assets.dashboards.encode import encoded
from kibana_assets.errors import PackageError
from kibana_assets.package.build import build
from kibana_assets.package.tree import parse_yaml
from kibana_assets.package.zip_file import zip_file
from tests.counterparts.need import need
from tests.kibana_assets.package.small import SMALL, small

# Of these members; another digest means that bundles of other versions of llm-bundle cannot be made again.
DIGEST = "b1f9bdedaf0700dc99a758343308000ec4587b36aec7e941d3689ebe3222b97c"
DASHBOARD = "kibana/dashboard/small-one.json"


def test_bytes_that_never_change() -> None:
    files = {"a/b": b"", "a/c": b"text\n" * 20_000, "a/ä": bytes(0xFFFF)}
    assert hashlib.sha256(zip_file(files)).hexdigest() == DIGEST


@settings(deadline=None, max_examples=15)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}", fullmatch=True), st.binary(max_size=70_000)))
def test_python_reads_what_was_written(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(zip_file(files))) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == files
        assert found.namelist() == sorted(files)
        assert all(one.compress_type == zipfile.ZIP_DEFLATED for one in found.infolist())


def test_other_programs_read_it(tmp_path: Path) -> None:
    built = build(small())
    file = tmp_path / built.name
    file.write_bytes(built.data)
    subprocess.run([need("bsdtar", "libarchive-tools"), "-xf", str(file), "-C", str(tmp_path)], check=True, timeout=60)
    top = tmp_path / "small-1.2.0"
    assert {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()} == set(SMALL)
    assert (top / "manifest.yml").read_text() == SMALL["manifest.yml"]


def test_one_top_folder_and_the_same_bytes_twice() -> None:
    one, two = build(small()), build(small())
    assert one.name == "small-1.2.0.zip"
    assert one.data == two.data
    with zipfile.ZipFile(io.BytesIO(one.data)) as found:
        assert {name.split("/")[0] for name in found.namelist()} == {"small-1.2.0"}
        assert {one.date_time for one in found.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {one.external_attr >> 16 for one in found.infolist()} == {0o100644}


def test_fields_are_written_out() -> None:
    text = build(small()).files["data_stream/log/fields/fields.yml"].decode()
    found = {entry["name"]: entry for entry in parse_yaml(text, "built")}
    assert found["small.log.wait_time"]["type"] == "double"
    assert found["event.kind"]["type"] == "keyword"
    assert "external" not in text


def test_an_unknown_ecs_field_stops_the_build() -> None:
    with pytest.raises(PackageError, match=r"more\.yml: event\.nothing: external: ecs"):
        build(small(**{"data_stream/log/fields/more.yml": "- {name: event.nothing, external: ecs}\n"}))


def test_parts_of_saved_objects_become_texts() -> None:
    source = {
        "id": "small-one",
        "attributes": {
            "title": "One",
            "panelsJSON": [{"type": "lens", "embeddableConfig": {"inner": {"optionsJSON": {"a": "ä"}}}}],
            "kibanaSavedObjectMeta": {"searchSourceJSON": {"query": {}}},
            "optionsJSON": '{"already": "text"}',
        },
    }
    attributes = json.loads(build(small(**{DASHBOARD: json.dumps(source)})).files[DASHBOARD])["attributes"]
    assert json.loads(attributes["panelsJSON"])[0]["embeddableConfig"]["inner"]["optionsJSON"] == '{"a":"ä"}'
    assert attributes["kibanaSavedObjectMeta"]["searchSourceJSON"] == '{"query":{}}'
    assert attributes["optionsJSON"] == '{"already": "text"}'
    assert encoded([1, None, "JSON"]) == [1, None, "JSON"]


def test_broken_json_has_a_line() -> None:
    with pytest.raises(PackageError, match=r"small-one\.json:1:\d+: not JSON"):
        build(small(**{DASHBOARD: '{"id": }'}))
