"""The package as Fleet takes it: ``<name>-<version>.zip`` with one top folder.

Rules: the same sources give the same bytes, on every machine. Fields are written out, with what ECS says of them; the
parts of saved objects whose names end in ``JSON`` become texts. Dashboards are compiled from sources of their own. All
else is copied as it is, docs/README.md too, which is rendered when the sources change (docs.py). ``_dev`` and hidden
files are not among the sources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from kibana_assets.dashboards.encode import encoded
from kibana_assets.dashboards.objects import dashboards, package_files
from kibana_assets.package.ecs import Ecs, ecs
from kibana_assets.package.fields import Field, fields_of
from kibana_assets.package.streams import read_manifest
from kibana_assets.package.tree import Tree
from kibana_assets.package.zip_file import zip_file

PACKAGE: Final = "local_llm"
"""The package whose dashboards these are."""


@dataclass(frozen=True, slots=True)
class Built:
    """The zip file; ``folder`` is its top folder, ``files`` what lies in that, path → bytes."""

    folder: str
    files: dict[str, bytes]

    @property
    def name(self) -> str:
        """The zip file's name."""
        return f"{self.folder}.zip"

    @property
    def data(self) -> bytes:
        """The zip file's bytes."""
        return zip_file({f"{self.folder}/{path}": data for path, data in self.files.items()})


def build(tree: Tree) -> Built:
    """The built package. Raises: PackageError for sources that are not what they must be."""
    manifest = read_manifest(tree)
    known = ecs()
    files = {path: _written(tree, path, known) for path in tree.files}
    if manifest["name"] == PACKAGE:
        files |= {path: _json(one) for path, one in package_files(dashboards(tree)).items()}
    return Built(f"{manifest['name']}-{manifest['version']}", files)


def _written(tree: Tree, path: str, known: Ecs) -> bytes:
    if fnmatchcase(path, "data_stream/*/fields/*.yml"):
        return "".join(_yaml(list(fields_of(tree.yaml(path), path, known)))).encode()
    if fnmatchcase(path, "kibana/*.json"):
        return _json(encoded(tree.json(path)))
    return tree.files[path]


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _yaml(fields: list[Field]) -> Iterator[str]:
    """A list of mappings; every value is JSON, which YAML 1.2 includes."""
    for field in fields:
        yield f"- name: {json.dumps(field.name, ensure_ascii=False)}\n"
        for key, value in field.entry.items():
            yield f"  {key}: {json.dumps(value, ensure_ascii=False, default=str)}\n"
