"""The data streams of the package and their ingest pipelines, named as Fleet names them.

Rules: a folder of ``data_stream`` is a stream; its dataset is ``<package>.<folder>`` unless the manifest says another.
The pipeline ``default`` is installed as ``<type>-<dataset>-<package version>``, any other with ``-<name>`` behind it;
``{{ IngestPipeline "name" }}`` in one stands for the installed name of another of the same stream.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kibana_assets.errors import PackageError
from kibana_assets.package.source import parse_yaml, read_text, read_yaml

REFERENCE: Final = re.compile(r"""\{\{\s*IngestPipeline\s+["']([^"']+)["']\s*\}\}""")


@dataclass(frozen=True, slots=True)
class Stream:
    """One data stream; ``package`` is the package's name, whose version is part of the names of pipelines."""

    folder: Path
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


def read_manifest(package: Path) -> dict[str, Any]:
    """The package's manifest.yml.

    Raises: MachineError; PackageError if it has no name or version.
    """
    return _mapping(package / "manifest.yml", "name", "version")


def streams(package: Path) -> tuple[Stream, ...]:
    """The data streams, by name.

    Raises: MachineError; PackageError for a manifest that is none.
    """
    manifest = read_manifest(package)
    folders = sorted(path.parent for path in (package / "data_stream").glob("*/manifest.yml"))
    return tuple(_stream(folder, manifest) for folder in folders)


def stream(package: Path, name: str) -> Stream:
    """The data stream ``name``.

    Raises: PackageError if there is none of that name.
    """
    found = {one.name: one for one in streams(package)}
    if name not in found:
        raise PackageError(
            f"{package}: no data stream {name!r}: expected one of {', '.join(found)}", hint="Name one of these."
        )
    return found[name]


def pipelines(stream: Stream) -> dict[str, dict[str, Any]]:
    """The stream's pipelines by their installed names, those that others call first.

    Raises: MachineError; PackageError for one that cannot be read, or that names one that is not there.
    """
    texts = {path.stem: path for path in sorted((stream.folder / "elasticsearch" / "ingest_pipeline").glob("*.yml"))}
    read: dict[str, dict[str, Any]] = {}
    for name in sorted(texts, key=lambda name: (name == "default", name)):
        read[stream.pipeline_id(name)] = _pipeline(stream, texts[name], set(texts))
    return read


def _pipeline(stream: Stream, path: Path, names: set[str]) -> dict[str, Any]:
    def installed(found: re.Match[str]) -> str:
        if found[1] not in names:
            raise PackageError(f"{path}: calls the pipeline {found[1]!r}: expected one of {', '.join(sorted(names))}")
        return stream.pipeline_id(found[1])

    read = parse_yaml(REFERENCE.sub(installed, read_text(path)), str(path))
    if not isinstance(read, dict) or not isinstance(read.get("processors"), list):
        raise PackageError(f"{path}: not a pipeline: expected a mapping with a list of processors")
    return read


def _stream(folder: Path, package: dict[str, Any]) -> Stream:
    manifest = _mapping(folder / "manifest.yml", "type")
    dataset = str(manifest.get("dataset", f"{package['name']}.{folder.name}"))
    return Stream(folder, folder.name, str(manifest["type"]), dataset, package["name"], package["version"], manifest)


def _mapping(path: Path, *keys: str) -> dict[str, Any]:
    read = read_yaml(path)
    if not isinstance(read, dict):
        raise PackageError(f"{path}: expected a mapping", hint="Compare with the manifests beside it.")
    for key in keys:
        if not isinstance(read.get(key), str) or not read[key]:
            raise PackageError(f"{path}: {key}: found {read.get(key)!r}, expected a text", hint=f"Set {key}.")
    return read
