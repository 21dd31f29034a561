"""Rules for what lies in kibana/: saved objects, rule templates and SLO templates."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import read_manifest, streams
from kibana_assets.package.tree import Tree
from tests.package.format.finding import Finding

LEGACY = {"visualization", "timelion", "metrics", "input_control_vis"}
# Objects that Kibana has itself, or Fleet makes.
ELSEWHERE = {"logs-*", "metrics-*"}
SCHEMAS = Path(__file__).parent / "schemas"
TEMPLATES = ("alerting_rule_template", "slo_template")
# Of the System integration, which is no part of the package.
OTHERS = {"metrics-system.filesystem-*": {"host.name", "system.filesystem.mount_point", "system.filesystem.used.pct"}}


def a_file_is_named_for_its_object(tree: Tree) -> Iterator[Finding]:
    package = read_manifest(tree)["name"]
    for path, read in _objects(tree):
        name = path.rpartition("/")[2].removesuffix(".json")
        if read.get("id") != name:
            yield Finding(f"{path}: id", repr(read.get("id")), f"{name!r}, as the file's name")
        if not name.startswith(f"{package}-"):
            yield Finding(path, name, f"a name that begins with {package}-")
        if name.lower().endswith("-ecs"):
            yield Finding(path, name, "a name that does not end in -ecs")
        if read.get("type") != path.split("/")[1].replace("_pattern", "-pattern"):
            yield Finding(f"{path}: type", repr(read.get("type")), "the folder's name")


def tags_have_names_of_their_own(tree: Tree) -> Iterator[Finding]:
    shared = [str(entry["text"]) for entry in tree.yaml("kibana/tags.yml")] if "kibana/tags.yml" in tree.files else []
    own = [
        str(read.get("attributes", {}).get("name")) for path, read in _objects(tree) if path.startswith("kibana/tag/")
    ]
    for name, count in Counter(shared + own).items():
        if count > 1:
            yield Finding("kibana", f"{count} tags {name!r}", "one of each name")


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
            shows_data = panel.get("type") in ("lens", "map")
            if shows_data and not whole and "data_stream.dataset" not in str(panel.get("embeddableConfig")):
                yield Finding(f"{path}: panel {panel.get('panelIndex')}", "no filter", "one on data_stream.dataset")


def templates_fit_their_schemas(tree: Tree) -> Iterator[Finding]:
    for path, read in _objects(tree):
        folder = path.split("/")[1]
        if folder in TEMPLATES:
            schema = json.loads((SCHEMAS / f"{folder}.json").read_text(encoding="utf-8"))
            for error in Draft202012Validator(schema).iter_errors(read):
                yield Finding(f"{path}: {error.json_path}", error.message[:300], f"what schemas/{folder}.json says")


def queries_are_of_declared_datasets_and_fields(tree: Tree) -> Iterator[Finding]:
    """A pattern that no dataset fits, or a field that none has, makes a rule that fails each time it runs."""
    known = dict(OTHERS)
    for stream in streams(tree):
        known[stream.data_stream("*")] = {field.name for field in read_fields(tree, stream, ecs())}
    for path, indices, names in _queries(tree):
        for index in indices:
            if index not in known:
                yield Finding(path, index, f"one of {', '.join(sorted(known))}")
        fields = {field for index in indices for field in known.get(index, ())}
        for name in sorted(names - fields):
            yield Finding(path, name, f"a field that {', '.join(indices)} declares")


def _queries(tree: Tree) -> Iterator[tuple[str, list[str], set[str]]]:
    """Of each template its file, index patterns and fields."""
    for path, read in _objects(tree):
        attributes = read.get("attributes", {})
        params = attributes.get("params") or attributes.get("indicator", {}).get("params", {})
        if "/alerting_rule_template/" in path:
            text = re.sub(r'"(?:[^"\\]|\\.)*"', "", str(params.get("esqlQuery", {}).get("esql", "")))
            source, _, rest = re.sub("//.*", "", text).strip().partition("|")
            indices = re.split(r"[\s,]+", source.strip().removeprefix("FROM "))
            yield path, indices, set(re.findall(r"@timestamp|[a-z]\w*(?:\.\w+)+", rest))
        elif "/slo_template/" in path and params:
            text = " ".join(re.sub(r'"[^"]*"', "", str(params.get(key, ""))) for key in ("filter", "good", "total"))
            names = {params.get("timestampField"), *re.findall(r"([\w.@]+)\s*(?::|<|>)", text)}
            yield path, [params.get("index")], names


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
    tags_have_names_of_their_own,
    references_lead_somewhere,
    panels_are_by_value,
    dashboards_are_of_their_datasets,
    templates_fit_their_schemas,
    queries_are_of_declared_datasets_and_fields,
)
