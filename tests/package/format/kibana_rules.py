"""Rules for what lies in kibana/: saved objects, rule templates and SLO templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kibana_assets.package.streams import read_manifest
from kibana_assets.package.tree import Tree
from tests.package.format.finding import Finding

LEGACY = {"visualization", "timelion", "metrics", "input_control_vis"}
# Objects that Kibana has itself, or Fleet makes.
ELSEWHERE = {"logs-*", "metrics-*"}


def a_file_is_named_for_its_object(tree: Tree) -> Iterator[Finding]:
    package = read_manifest(tree)["name"]
    for path, read in _objects(tree):
        name = path.rpartition("/")[2].removesuffix(".json")
        if read.get("id") != name:
            yield Finding(f"{path}: id", repr(read.get("id")), f"{name!r}, as the file's name")
        if not name.startswith(f"{package}-"):
            yield Finding(path, name, f"a name that begins with {package}-")
        if read.get("type") != path.split("/")[1].replace("_pattern", "-pattern"):
            yield Finding(f"{path}: type", repr(read.get("type")), "the folder's name")


def references_lead_somewhere(tree: Tree) -> Iterator[Finding]:
    known = {(read.get("type"), read.get("id")) for _, read in _objects(tree)}
    for path, read in _objects(tree):
        for reference in read.get("references", ()):
            target = (reference.get("type"), reference.get("id"))
            if target not in known and not (target[0] == "index-pattern" and target[1] in ELSEWHERE):
                yield Finding(f"{path}: references", f"{target[0]} {target[1]}", "an object of this package")


def panels_are_by_value(tree: Tree) -> Iterator[Finding]:
    for path, panel in _panels(tree):
        if "panelRefName" in panel or panel.get("type") in LEGACY:
            yield Finding(
                f"{path}: panel {panel.get('panelIndex')}", str(panel.get("type")), "a panel by value, no legacy"
            )


def dashboards_are_of_their_datasets(tree: Tree) -> Iterator[Finding]:
    """Without a filter a dashboard would read every index of a data view."""
    for path, read in _objects(tree):
        if "/dashboard/" not in path:
            continue
        attributes = read.get("attributes", {})
        whole = "data_stream.dataset" in str(attributes.get("kibanaSavedObjectMeta"))
        for panel in attributes.get("panelsJSON", ()):
            shows_data = panel.get("type") == "lens"
            if shows_data and not whole and "data_stream.dataset" not in str(panel.get("embeddableConfig")):
                yield Finding(f"{path}: panel {panel.get('panelIndex')}", "no filter", "one on data_stream.dataset")


def _objects(tree: Tree) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in tree.files:
        if path.startswith("kibana/") and path.endswith(".json"):
            yield path, tree.json(path)


def _panels(tree: Tree) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, read in _objects(tree):
        if "/dashboard/" in path:
            for panel in read.get("attributes", {}).get("panelsJSON", ()):
                yield path, panel


RULES = (
    a_file_is_named_for_its_object,
    references_lead_somewhere,
    panels_are_by_value,
    dashboards_are_of_their_datasets,
)
