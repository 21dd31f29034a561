"""Every manifest, changelog, fields file and pipeline fits its schema; nothing lies where the format knows no file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from kibana_assets.package.tree import Tree
from tests.package.format.finding import Finding

SCHEMAS = Path(__file__).parent / "schemas"
STREAM = "data_stream/[a-z][a-z0-9_]*"
# What may lie in a package, and the schema that it fits.
FILES = {
    r"manifest\.yml": "manifest",
    r"changelog\.yml": "changelog",
    rf"{STREAM}/manifest\.yml": "stream",
    rf"{STREAM}/fields/[a-z0-9_-]+\.yml": "fields",
    rf"{STREAM}/elasticsearch/ingest_pipeline/[a-z0-9_-]+\.yml": "pipeline",
    rf"{STREAM}/agent/stream/[a-z0-9_-]+\.yml\.hbs": "",
    rf"{STREAM}/sample_event\.json": "",
    r"LICENSE\.txt": "",
    r"docs/[A-Za-z0-9_-]+\.md": "",
    r"img/[a-z0-9_-]+\.(svg|png)": "",
    r"kibana/(alerting_rule_template|dashboard|index_pattern|search|slo_template|tag)/[A-Za-z0-9_.-]+\.json": "",
    r"kibana/tags\.yml": "",
}


def every_file_has_its_place(tree: Tree) -> Iterator[Finding]:
    for path in tree.files:
        if not any(re.fullmatch(pattern, path) for pattern in FILES):
            yield Finding(path, "a file", "only files that the format knows, with names in small letters")


def every_file_fits_its_schema(tree: Tree) -> Iterator[Finding]:
    for path in tree.files:
        for pattern, name in FILES.items():
            if name and re.fullmatch(pattern, path):
                yield from _fits(tree.yaml(path), name, path)


def _fits(read: Any, name: str, path: str) -> Iterator[Finding]:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    for error in Draft202012Validator(schema).iter_errors(read):
        yield Finding(f"{path}: {error.json_path}", error.message[:300], f"what schemas/{name}.json says")


RULES = (every_file_has_its_place, every_file_fits_its_schema)
