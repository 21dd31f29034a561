"""The fields of a data stream, read from ``fields/*.yml`` and resolved against ECS.

Rules: a group's fields carry its name before theirs. ``external: ecs`` takes type, description and mapping from the
extract; beside it only what ECS leaves open may stand (``dimension``, ``metric_type``, ``unit``, and for constant
keywords ``value``). No name stands twice in a stream; every field has a type that Fleet knows and a description; a
time or a size has its unit; a number of a metrics stream has its metric type, unless it is a dimension.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from kibana_assets.errors import PackageError
from kibana_assets.package.ecs import Ecs
from kibana_assets.package.streams import Stream
from kibana_assets.package.tree import Tree

MOST: Final = 2048
NUMBERS: Final = frozenset({"long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float"}) | {
    "unsigned_long"
}
TYPES: Final = NUMBERS | {
    "aggregate_metric_double",
    "alias",
    "binary",
    "boolean",
    "constant_keyword",
    "counted_keyword",
    "date",
    "date_nanos",
    "date_range",
    "flattened",
    "geo_point",
    "group",
    "histogram",
    "ip",
    "ip_range",
    "keyword",
    "match_only_text",
    "nested",
    "object",
    "text",
    "version",
    "wildcard",
}
UNITS: Final = frozenset({"byte", "percent", "d", "h", "m", "s", "ms", "micros", "nanos"})
METRIC_TYPES: Final = frozenset({"gauge", "counter"})
BESIDE_ECS: Final = frozenset({"name", "external", "unit", "metric_type", "dimension", "value", "description"})
_MEASURED: Final = re.compile(r"(^|[._])(bytes?|seconds|time|duration|pct|percent|latency|age)$")


@dataclass(frozen=True, slots=True)
class Field:
    """One field; ``entry`` is what the built package says of it, without its name. ``place`` is its file."""

    name: str
    type: str
    description: str
    entry: dict[str, Any]
    place: str
    external: bool = False

    @property
    def unit(self) -> str:
        """``s``, ``byte`` and so on, or nothing."""
        return str(self.entry.get("unit", ""))

    @property
    def metric_type(self) -> str:
        """``gauge``, ``counter`` or nothing."""
        return str(self.entry.get("metric_type", ""))


def read_fields(tree: Tree, stream: Stream, ecs: Ecs) -> tuple[Field, ...]:
    """All fields of a stream, by name, resolved. Raises: PackageError that names file and field."""
    known: dict[str, Field] = {}
    for path in tree.paths(f"{stream.path}/fields", ".yml"):
        for field in fields_of(tree.yaml(path), path, ecs):
            _check(field, stream)
            if field.name in known:
                before = known[field.name].place
                raise PackageError(f"{path}: {field.name}: declared before, in {before}", hint="Remove one.")
            known[field.name] = field
    if len(known) > MOST:
        raise PackageError(f"{stream.path}: {len(known)} fields, expected {MOST} at most")
    return tuple(known[name] for name in sorted(known))


def fields_of(read: object, place: str, ecs: Ecs) -> Iterator[Field]:
    """The fields of one file, of which ``read`` is the content; not checked yet. Raises: PackageError."""
    return _entries(read, "", place, ecs)


def _entries(read: object, above: str, place: str, ecs: Ecs) -> Iterator[Field]:
    if not isinstance(read, list):
        raise PackageError(f"{place}: {above or 'the file'}: expected a list of fields", hint="See its neighbours.")
    for number, entry in enumerate(read):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
            raise PackageError(f"{place}: {above}[{number}]: expected a mapping with a name", hint="Give it a name.")
        name = above + entry["name"]
        if "fields" in entry and entry.get("type", "group") in ("group", "nested"):
            yield from _entries(entry["fields"], f"{name}.", place, ecs)
            if entry.get("type", "group") == "group":
                continue
        yield _resolved(name, entry, place, ecs) if entry.get("external") else _own(name, entry, place)


def _own(name: str, entry: dict[str, Any], place: str) -> Field:
    kept = {key: value for key, value in entry.items() if key not in ("name", "fields")}
    return Field(name, str(entry.get("type", "")), str(entry.get("description", "")).strip(), kept, place)


def _resolved(name: str, entry: dict[str, Any], place: str, ecs: Ecs) -> Field:
    if entry["external"] != "ecs":
        raise PackageError(f"{place}: {name}: external: found {entry['external']!r}, expected ecs")
    beside = sorted(set(entry) - BESIDE_ECS)
    if beside:
        raise PackageError(
            f"{place}: {name}: {', '.join(beside)} beside external: ecs, which says that already",
            hint="Remove it; or remove external, and declare the field wholly.",
        )
    own = {key: value for key, value in entry.items() if key not in ("name", "external")}
    whole = {**ecs.field(name, place), **own}
    return Field(name, whole["type"], str(whole["description"]).strip(), whole, place, external=True)


def _check(field: Field, stream: Stream) -> None:
    where = f"{field.place}: {field.name}"
    if field.type not in TYPES:
        raise PackageError(f"{where}: type: found {field.type!r}, expected one of {', '.join(sorted(TYPES))}")
    if not field.description:
        raise PackageError(f"{where}: no description", hint="Say in a sentence what the field holds.")
    if field.unit and field.unit not in UNITS:
        raise PackageError(f"{where}: unit: found {field.unit!r}, expected one of {', '.join(sorted(UNITS))}")
    if field.metric_type and field.metric_type not in METRIC_TYPES:
        raise PackageError(f"{where}: metric_type: found {field.metric_type!r}, expected gauge or counter")
    if field.external or field.type not in NUMBERS or field.entry.get("dimension"):
        return
    if _MEASURED.search(field.name) and not field.unit:
        raise PackageError(f"{where}: a time, a size or a share without unit", hint="Set unit: s, byte, percent, …")
    if stream.type == "metrics" and not field.metric_type:
        raise PackageError(f"{where}: a number of a metrics stream without metric_type", hint="Set gauge or counter.")
