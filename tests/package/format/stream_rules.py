"""Rules for a data stream's manifest, agent templates and sample."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import Tree
from tests.package.declared import undeclared
from tests.package.format.finding import Finding

SECRET = re.compile(r"password|secret|token|api_?key|passphrase|credential", re.IGNORECASE)
HELPERS = {"contains", "else", "if", "each", "unless", "this", "with", "url_encode", "escape_string", "to_json"}
# What Fleet itself gives to a template.
GIVEN = {"data_stream.dataset", "data_stream.type"}


def every_folder_is_a_stream(tree: Tree) -> Iterator[Finding]:
    for name in sorted({path.split("/")[1] for path in tree.files if path.startswith("data_stream/")}):
        for needed in ("manifest.yml", "sample_event.json", "elasticsearch/ingest_pipeline/default.yml"):
            if f"data_stream/{name}/{needed}" not in tree.files:
                yield Finding(f"data_stream/{name}/{needed}", "nothing", "this file")


def every_agent_template_is_there(tree: Tree) -> Iterator[Finding]:
    for stream in streams(tree):
        for one in stream.manifest["streams"]:
            path = f"{stream.path}/agent/stream/{one.get('template_path', 'stream.yml.hbs')}"
            if path not in tree.files:
                yield Finding(path, "nothing", f"the template of the input {one['input']}")


def a_template_is_one_file(tree: Tree) -> Iterator[Finding]:
    """The format takes each file whose name ends like the template's for the template."""
    for stream in streams(tree):
        for one in stream.manifest["streams"]:
            name = one.get("template_path", "stream.yml.hbs")
            files = [path for path in tree.files if path.startswith(f"{stream.path}/agent/") and path.endswith(name)]
            if len(files) > 1:
                yield Finding(f"{stream.path}/manifest.yml: {name}", ", ".join(files), "one file of that ending")


def templates_use_declared_variables(tree: Tree) -> Iterator[Finding]:
    for stream in streams(tree):
        for one in stream.manifest["streams"]:
            path = f"{stream.path}/agent/stream/{one.get('template_path', 'stream.yml.hbs')}"
            known = {var["name"] for var in one.get("vars", ())} | HELPERS | GIVEN
            used = _variables(tree.text(path)) if path in tree.files else set()
            for name in sorted(used - known):
                yield Finding(path, f"{{{{{name}}}}}", "a variable of the stream's manifest")
            for name in sorted(known - HELPERS - GIVEN - used):
                yield Finding(f"{stream.path}/manifest.yml", f"variable {name}", f"one that {path} uses")


def secrets_are_marked(tree: Tree) -> Iterator[Finding]:
    for stream in streams(tree):
        for one in stream.manifest["streams"]:
            for var in one.get("vars", ()):
                if (SECRET.search(var["name"]) or var["type"] == "password") and "secret" not in var:
                    yield Finding(f"{stream.path}/manifest.yml: {var['name']}", "no secret", "secret: true, or false")


def samples_are_of_their_stream(tree: Tree) -> Iterator[Finding]:
    for stream in streams(tree):
        path = f"{stream.path}/sample_event.json"
        if path not in tree.files:
            continue
        sample = tree.json(path)
        dataset = sample.get("data_stream", {}).get("dataset")
        if dataset != stream.dataset:
            yield Finding(f"{path}: data_stream.dataset", str(dataset), stream.dataset)
        for name in undeclared(sample, read_fields(tree, stream, ecs())):
            yield Finding(f"{path}: {name}", "a field", "one that fields/ declares")


def _variables(template: str) -> set[str]:
    used = set()
    for call in re.findall(r"\{\{\{?[~#^]?\s*([^}/!][^}]*?)~?\s*\}\}", template):
        words = re.sub(r"""(["']).*?\1""", "", call).split()
        used |= {word.strip("()~").removeprefix("this.") for word in words if not word.startswith("@")}
    return {word for word in used if word and not word.startswith("..")}


RULES = (
    every_folder_is_a_stream,
    every_agent_template_is_there,
    a_template_is_one_file,
    templates_use_declared_variables,
    secrets_are_marked,
    samples_are_of_their_stream,
)
