"""Rules for fields; that each is known to ECS or is whole, and stands once, is checked where they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import NUMBERS, read_fields
from kibana_assets.package.streams import streams
from kibana_assets.package.templates import index_mode
from kibana_assets.package.tree import Tree
from tests.package.format.finding import Finding

BASE = {
    "@timestamp": "date",
    **{f"data_stream.{part}": "constant_keyword" for part in ("type", "dataset", "namespace")},
}

# What may stand beside which types; a field of ECS has its type from there.
ONLY_OF = {
    "object_type": {"object"},
    "fields": {"group", "nested"},
    "date_format": {"date"},
    "metric_type": NUMBERS | {"histogram", "aggregate_metric_double", "object"},
    "unit": NUMBERS | {"histogram", "aggregate_metric_double", "object"},
    "dimension": NUMBERS | {"constant_keyword", "keyword", "ip"},
    "value": {"constant_keyword"},
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


def a_field_says_only_what_its_type_may(tree: Tree) -> Iterator[Finding]:
    """An object says of what type its members are, or is not indexed at all."""
    for stream in streams(tree):
        for path in tree.paths(f"{stream.path}/fields", ".yml"):
            for name, entry in _entries(tree.yaml(path), ""):
                kind = entry.get("type")
                for key in sorted(set(ONLY_OF) & set(entry)) if "external" not in entry else ():
                    if kind not in ONLY_OF[key]:
                        yield Finding(f"{path}: {name}", f"{key} of a {kind}", f"{key} of {', '.join(ONLY_OF[key])}")
                if kind == "object" and ("object_type" in entry) == (entry.get("enabled") is False):
                    yield Finding(f"{path}: {name}", "an object", "one with object_type, or with enabled: false")


def a_time_series_has_dimensions_and_metrics(tree: Tree) -> Iterator[Finding]:
    for stream in streams(tree):
        if index_mode(stream) != "time_series":
            continue
        fields = read_fields(tree, stream, ecs())
        if not any(field.entry.get("dimension") for field in fields):
            yield Finding(f"{stream.path}/fields", "no dimension", "dimension: true where series differ")
        if not any(field.metric_type for field in fields):
            yield Finding(f"{stream.path}/fields", "no metric_type", "gauge or counter for each metric")


def _entries(read: Any, above: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every entry of a file, groups too, with its whole name."""
    for entry in read or ():
        name = f"{above}{entry['name']}"
        yield name, entry
        yield from _entries(entry.get("fields"), f"{name}.")


RULES = (
    every_stream_has_the_base_fields,
    own_fields_lie_below_the_package,
    a_field_is_no_parent_of_another,
    a_field_says_only_what_its_type_may,
    a_time_series_has_dimensions_and_metrics,
)
