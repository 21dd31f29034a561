"""All rules over dashboards: those of this llm-bundle's sources, or those of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kibana_assets.check.board import board, text
from kibana_assets.check.context import Context, declared, present
from kibana_assets.check.finding import Finding
from kibana_assets.check.rules import RULES
from kibana_assets.dashboards.model import Dashboard
from kibana_assets.dashboards.objects import dashboards, objects
from kibana_assets.package.tree import Tree


def check_sources(tree: Tree) -> list[Finding]:
    """What is wrong with the dashboards of this llm-bundle, each place with the line of its source.

    Raises: PackageError for a source that cannot be read.
    """
    made = dashboards(tree)
    return check_objects(objects(made), tree, _places(made))


def check_objects(
    found: Iterable[dict[str, Any]], tree: Tree, places: Mapping[str, str] | None = None
) -> list[Finding]:
    """What is wrong with saved objects, over the fields that ``tree`` declares; ``places``: place → source's line."""
    all_of_them = list(found)
    context = Context(declared(tree), present(all_of_them))
    findings = list(_twice(all_of_them))
    for one in all_of_them:
        if one.get("type") == "dashboard":
            taken = board(one)
            findings += [
                Finding(rule.__name__, _located(place, places or {}), what, expected)
                for rule in RULES
                for place, what, expected in rule(taken, context)
            ]
    return findings


def _twice(found: list[dict[str, Any]]) -> Iterable[Finding]:
    seen: set[tuple[str, str]] = set()
    for one in found:
        name = (text(one.get("type")), text(one.get("id")))
        if not all(name) or name in seen:
            yield Finding("objects_have_ids_of_their_own", f"{name[0]} {name[1]}", "no id, or one twice", "one id each")
        seen.add(name)


def _places(made: Iterable[Dashboard]) -> dict[str, str]:
    return {f"{one.id}: panel {panel.id}": panel.place for one in made for panel in one.panels}


def _located(place: str, places: Mapping[str, str]) -> str:
    for name, line in places.items():
        if place == name or place.startswith(f"{name}:"):
            return f"{line}: {place}"
    return place
