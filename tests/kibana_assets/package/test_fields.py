"""Fields are read, resolved against ECS, and refused with file and name."""

from __future__ import annotations

import pytest

from kibana_assets.errors import PackageError
from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import Field, read_fields
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import Tree
from tests.kibana_assets.package.small import changed, small

LOG = "data_stream/log/fields/fields.yml"
RATE = "data_stream/rate/fields/fields.yml"


def fields(tree: Tree, name: str = "log") -> dict[str, Field]:
    stream = next(stream for stream in streams(tree) if stream.name == name)
    return {field.name: field for field in read_fields(tree, stream, ecs())}


def test_a_group_gives_its_name_to_its_fields() -> None:
    found = fields(small())["small.log.wait_time"]
    assert (found.type, found.unit, found.metric_type, found.external) == ("double", "s", "", False)
    assert found.description == "How long it waited."


def test_ecs_says_type_and_description() -> None:
    found = fields(small())
    assert (found["@timestamp"].type, found["data_stream.type"].type) == ("date", "constant_keyword")
    assert found["event.original"].entry["index"] is False
    assert "Date/time when the event originated" in found["@timestamp"].description
    assert fields(small(), "rate")["service.name"].entry["dimension"] is True


def test_the_extract_says_its_version_and_licence() -> None:
    known = ecs()
    assert known.version == "9.4.0"
    assert known.fields["message"]["type"] == "match_only_text"


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (LOG, "name: event.kind", "name: event.sort", r"fields\.yml: event\.sort: external: ecs, but the extract"),
        (LOG, "name: event.kind", "name: message", r"fields\.yml: message: declared before, in .*base-fields\.yml"),
        (LOG, "event.kind, external: ecs", "event.kind, external: otel", "external: found 'otel', expected ecs"),
        (LOG, "event.kind, external: ecs", "event.kind, external: ecs, type: long", "type beside external: ecs"),
        (LOG, "type: double", "type: number", r"small\.log\.wait_time: type: found 'number', expected one of"),
        (LOG, "type: double, ", "", "type: found ''"),
        (LOG, ", description: How long it waited.", "", r"wait_time: no description"),
        (LOG, "unit: s", "unit: seconds", "unit: found 'seconds', expected one of .*micros"),
        (LOG, "unit: s, ", "", "without unit"),
        (LOG, "- name: small.log\n", "- nome: small.log\n", r"\[0\]: expected a mapping with a name"),
        (RATE, "metric_type: counter", "metric_type: sum", "metric_type: found 'sum', expected gauge or counter"),
        (RATE, "metric_type: counter, ", "", r"small\.rate\.tokens: a number of a metrics stream without metric_type"),
    ],
)
def test_what_is_wrong_is_named(file: str, old: str, new: str, says: str) -> None:
    with pytest.raises(PackageError, match=says):
        fields(changed(file, old, new), file.split("/")[1])


@pytest.mark.parametrize("text", ["name: a\n", "- a\n", "- {name: [a]}\n", "- {name: a, type: group, fields: b}\n"])
def test_what_is_no_list_of_fields_is_refused(text: str) -> None:
    with pytest.raises(PackageError, match=r"more\.yml: .*expected a"):
        fields(small(**{"data_stream/log/fields/more.yml": text}))


def test_broken_yaml_has_a_line() -> None:
    with pytest.raises(PackageError, match=r"data_stream/log/fields/more\.yml:3:1: not YAML"):
        fields(small(**{"data_stream/log/fields/more.yml": "- name: a\n  b: [\n"}))


def test_too_many_fields_are_refused() -> None:
    text = "".join(f"- {{name: small.f{number}, type: long, description: A.}}\n" for number in range(2049))
    with pytest.raises(PackageError, match="fields, expected 2048 at most"):
        fields(small(**{"data_stream/log/fields/more.yml": text}))
