"""The data streams of the package and their ingest pipelines, named as Fleet names them.

Rules: a folder of ``data_stream`` is a stream; its dataset is ``<package>.<folder>`` unless the manifest says another.
The pipeline ``default`` is installed as ``<type>-<dataset>-<package version>``, any other with ``-<name>`` behind it;
``{{ IngestPipeline "name" }}`` in one stands for the installed name of another of the same stream.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from kibana_assets.errors import PackageError
from kibana_assets.package.tree import Tree, parse_yaml

REFERENCE: Final = re.compile(r"""\{\{\s*IngestPipeline\s+["']([^"']+)["']\s*\}\}""")


@dataclass(frozen=True, slots=True)
class Stream:
    """One data stream; ``package`` is the package's name, whose version is part of the names of pipelines."""

    path: str
    name: str
    type: str
    dataset: str
    package: str
    package_version: str
    manifest: dict[str, Any]

    def pipeline_id(self, name: str = "default") -> str:
        """The name under which Fleet installs the pipeline ``name``."""
        main = f"{self.type}-{self.dataset}-{self.package_version}"
        return main if name == "default" else f"{main}-{name}"

    def data_stream(self, namespace: str = "default") -> str:
        """The name of the data stream in Elasticsearch."""
        return f"{self.type}-{self.dataset}-{namespace}"


def read_manifest(tree: Tree) -> dict[str, Any]:
    """The package's manifest.yml. Raises: PackageError if it has no name or version."""
    return _mapping(tree, "manifest.yml", "name", "version")


def streams(tree: Tree) -> tuple[Stream, ...]:
    """The data streams, by name. Raises: PackageError for a manifest that is none."""
    manifest = read_manifest(tree)
    found = (re.fullmatch("data_stream/([^/]+)/manifest.yml", path) for path in tree.files)
    return tuple(_stream(tree, name[1], manifest) for name in found if name)


def pipelines(tree: Tree, stream: Stream) -> dict[str, dict[str, Any]]:
    """The stream's pipelines by their installed names, those that others call first.

    Raises: PackageError for one that cannot be read, or that calls one that is not there.
    """
    found = tree.paths(f"{stream.path}/elasticsearch/ingest_pipeline", ".yml")
    names = {path.rpartition("/")[2].removesuffix(".yml"): path for path in found}
    ordered = sorted(names, key=lambda name: (name == "default", name))
    return {stream.pipeline_id(name): _pipeline(tree, stream, names[name], set(names)) for name in ordered}


def _pipeline(tree: Tree, stream: Stream, path: str, names: set[str]) -> dict[str, Any]:
    def installed(found: re.Match[str]) -> str:
        if found[1] not in names:
            raise PackageError(f"{path}: calls the pipeline {found[1]!r}: expected one of {', '.join(sorted(names))}")
        return stream.pipeline_id(found[1])

    read = parse_yaml(REFERENCE.sub(installed, tree.text(path)), path)
    if not isinstance(read, dict) or not isinstance(read.get("processors"), list):
        raise PackageError(f"{path}: not a pipeline: expected a mapping with a list of processors")
    return read


def _stream(tree: Tree, name: str, package: dict[str, Any]) -> Stream:
    path = f"data_stream/{name}"
    manifest = _mapping(tree, f"{path}/manifest.yml", "type")
    dataset = str(manifest.get("dataset", f"{package['name']}.{name}"))
    return Stream(path, name, str(manifest["type"]), dataset, package["name"], package["version"], manifest)


def _mapping(tree: Tree, path: str, *keys: str) -> dict[str, Any]:
    read = tree.yaml(path)
    if not isinstance(read, dict):
        raise PackageError(f"{path}: expected a mapping", hint="Compare with the manifests beside it.")
    for key in keys:
        if not isinstance(read.get(key), str) or not read[key]:
            raise PackageError(f"{path}: {key}: found {read.get(key)!r}, expected a text", hint=f"Set {key}.")
    return read
