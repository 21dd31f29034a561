"""Rules for fields; that each is known to ECS or is whole, and stands once, is checked where they are read."""

from __future__ import annotations

from collections.abc import Iterator

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import streams
from kibana_assets.package.templates import index_mode
from kibana_assets.package.tree import Tree
from tests.package.format.finding import Finding

BASE = {
    "@timestamp": "date",
    **{f"data_stream.{part}": "constant_keyword" for part in ("type", "dataset", "namespace")},
}


def every_stream_has_the_base_fields(tree: Tree) -> Iterator[Finding]:
    for stream in streams(tree):
        types = {field.name: field.type for field in read_fields(tree, stream, ecs())}
        for name, expected in BASE.items():
            if types.get(name) != expected:
                yield Finding(f"{stream.path}/fields: {name}", types.get(name, "nothing"), expected)


def own_fields_lie_below_the_package(tree: Tree) -> Iterator[Finding]:
    """What ECS does not know is ours, or Beats', or OpenTelemetry's."""
    for stream in streams(tree):
        for field in read_fields(tree, stream, ecs()):
            known = (f"{stream.package}.", "gen_ai.", "input.", "log.", "event.", "container.", "cloud.", "host.")
            if not field.external and not field.name.startswith(known):
                yield Finding(
                    f"{field.place}: {field.name}", "a name of nobody", f"{stream.package}.…, or external: ecs"
                )


def a_field_is_no_parent_of_another(tree: Tree) -> Iterator[Finding]:
    for stream in streams(tree):
        fields = {field.name: field for field in read_fields(tree, stream, ecs())}
        for name in fields:
            parent = name.rpartition(".")[0]
            while parent:
                if parent in fields and fields[parent].type not in ("object", "nested", "group"):
                    yield Finding(f"{fields[name].place}: {name}", f"{parent} is a {fields[parent].type}", "an object")
                parent = parent.rpartition(".")[0]


def a_time_series_has_dimensions_and_metrics(tree: Tree) -> Iterator[Finding]:
    for stream in streams(tree):
        if index_mode(stream) != "time_series":
            continue
        fields = read_fields(tree, stream, ecs())
        if not any(field.entry.get("dimension") for field in fields):
            yield Finding(f"{stream.path}/fields", "no dimension", "dimension: true where series differ")
        if not any(field.metric_type for field in fields):
            yield Finding(f"{stream.path}/fields", "no metric_type", "gauge or counter for each metric")


RULES = (
    every_stream_has_the_base_fields,
    own_fields_lie_below_the_package,
    a_field_is_no_parent_of_another,
    a_time_series_has_dimensions_and_metrics,
)
