"""What the rules know beside the dashboard: declared fields, and which objects there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kibana_assets.dashboards.objects import VIEWS
from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import Field, read_fields
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import Tree

# What every document has, whoever declares it.
EVERYWHERE: Final = frozenset({"@timestamp", "data_stream.dataset", "data_stream.type", "data_stream.namespace"})


@dataclass(frozen=True, slots=True)
class Context:
    """``fields``: dataset → field name → field. ``objects``: (type, id) of all that is there."""

    fields: Mapping[str, Mapping[str, Field]]
    objects: frozenset[tuple[str, str]]

    def types(self, datasets: Iterable[str]) -> dict[str, str]:
        """The fields that each of the datasets declares, with their types."""
        known = [self.fields.get(dataset, {}) for dataset in datasets]
        if not known:
            return {}
        names = set(known[0]).intersection(*known[1:])
        return {name: known[0][name].type for name in names}

    def field(self, name: str, datasets: Iterable[str]) -> Field | None:
        """The field, if each of the datasets declares it."""
        found = [self.fields.get(dataset, {}).get(name) for dataset in datasets]
        return found[0] if found and all(found) else None


def declared(tree: Tree) -> dict[str, dict[str, Field]]:
    """Dataset → field name → field, of all data streams of a package; multi-fields have names of their own."""
    known = ecs()
    return {one.dataset: _named(read_fields(tree, one, known)) for one in streams(tree)}


def present(objects: Iterable[dict[str, Any]]) -> frozenset[tuple[str, str]]:
    """(type, id) of the objects, and of the data views that Fleet or the installer makes."""
    there = {(str(one.get("type", "")), str(one.get("id", ""))) for one in objects}
    return frozenset(there | {("index-pattern", view) for view in VIEWS})


def _named(fields: Iterable[Field]) -> dict[str, Field]:
    made: dict[str, Field] = {}
    for one in fields:
        made[one.name] = one
        for more in one.entry.get("multi_fields", ()):
            name = f"{one.name}.{more['name']}"
            made[name] = Field(name, str(more["type"]), one.description, dict(more), one.place)
    return made
