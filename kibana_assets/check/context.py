"""What the rules know beside the dashboard: declared fields, and which objects there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kibana_assets.dashboards.objects import VIEWS
from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import Field, fields_of
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import Tree


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
    """Dataset → field name → field, of all data streams of a package, built or not.

    Raises: PackageError for one that cannot be read.
    """
    known = ecs()
    made = {}
    for one in streams(tree):
        paths = tree.paths(f"{one.path}/fields", ".yml")
        made[one.dataset] = _named(field for path in paths for field in fields_of(tree.yaml(path), path, known))
    return made


def present(objects: Iterable[dict[str, Any]]) -> frozenset[tuple[str, str]]:
    """(type, id) of the objects, and of the data views that Fleet or the installer makes."""
    there = {(str(one.get("type", "")), str(one.get("id", ""))) for one in objects}
    return frozenset(there | {("index-pattern", view) for view in VIEWS})


def _named(fields: Iterable[Field]) -> dict[str, Field]:
    """By name; a multi-field has one of its own."""
    made: dict[str, Field] = {}
    for one in fields:
        made[one.name] = one
        for more in one.entry.get("multi_fields", ()):
            name = f"{one.name}.{more['name']}"
            made[name] = Field(name, str(more["type"]), one.description, dict(more), one.place)
    return made
