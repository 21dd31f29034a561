"""``make ecs``: writes ``ecs.json`` anew, from the npm package ``@elastic/ecs`` of the version that stands here.

Rules: needs npm and node; only a developer runs it. It takes the package's main entry (``EcsFlat``; the folder
``generated`` in it is older). Names that ECS does not know are told and left out, and the exit code is 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from kibana_assets.package.ecs import EXTRACT
from kibana_assets.package.tree import Tree, load

VERSION: Final = "9.4.0"
KEPT: Final[tuple[str, ...]] = ("type", "description", "index", "doc_values", "ignore_above", "scaling_factor")
_PRINT: Final = "process.stdout.write(JSON.stringify(require('@elastic/ecs').EcsFlat))"


def external_names(tree: Tree) -> set[str]:
    """The names that fields/*.yml of any stream give with ``external: ecs``."""
    found: set[str] = set()
    for path in tree.files:
        if "/fields/" in path:
            found |= set(_external(tree.yaml(path) or [], ""))
    return found


def extract(flat: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Of EcsFlat only ``names``, and of those only what a mapping and a table need."""
    return {name: _kept(flat[name]) for name in sorted(names)}


def main() -> int:
    """Fetch, extract, write."""
    with TemporaryDirectory() as place:
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--prefix", place, f"@elastic/ecs@{VERSION}"], check=True
        )
        printed = subprocess.run(["node", "-e", _PRINT], cwd=place, check=True, capture_output=True)
    flat = json.loads(printed.stdout)
    names = external_names(load())
    known = names & set(flat)
    written = {
        "note": "Extract of the npm package @elastic/ecs (Elastic Common Schema, Apache License 2.0); made by make ecs",
        "version": VERSION,
        "fields": extract(flat, known),
    }
    extract_file = Path(__file__).with_name(EXTRACT)
    extract_file.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{EXTRACT}: {len(known)} fields of ECS {VERSION}")
    if names - known:
        print(f"ECS {VERSION} has no field {', '.join(sorted(names - known))}", file=sys.stderr)
    return 1 if names - known else 0


def _external(entries: list[dict[str, Any]], above: str) -> Iterator[str]:
    for entry in entries:
        name = above + str(entry.get("name", ""))
        if entry.get("external") == "ecs":
            yield name
        yield from _external(entry.get("fields", []), f"{name}.")


def _kept(field: dict[str, Any]) -> dict[str, Any]:
    kept = {key: field[key] for key in KEPT if key in field}
    if "multi_fields" in field:
        kept["multi_fields"] = [{"name": one["name"], "type": one["type"]} for one in field["multi_fields"]]
    if "array" in field.get("normalize", ()):
        kept["normalize"] = ["array"]
    return kept


if __name__ == "__main__":
    sys.exit(main())
