"""A package's zip file, read and refused as Fleet does it, in its words.

Source: elastic/kibana, Fleet's archive/parse.ts and archive/extract.ts (read, not copied), and what a real one said.
"""

from __future__ import annotations

import copy
import functools
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.counterparts.kibana_stack.objects import check_texts
from tests.counterparts.kibana_stack.processors import unknown
from tests.counterparts.kibana_stack.route import Json, Refusal

NEEDED = ("name", "version", "description", "title", "format_version", "owner")
KIBANA_TYPES = (
    *("dashboard", "lens", "visualization", "search", "index-pattern", "map", "tag"),
    *("alerting_rule_template", "slo_template"),
)
_REFERENCE = re.compile(r"""\{\{\s*IngestPipeline\s+["']([^"']+)["']\s*\}\}""")


@dataclass(frozen=True, slots=True)
class DataStream:
    """A data stream with its streams, as the manifest has them."""

    path: str
    type: str
    dataset: str
    streams: list[Json]
    elasticsearch: Json
    is_prefix: bool = False


@dataclass(slots=True)
class Package:
    """A package that was read; ``objects`` are Kibana's, ``pipelines`` Elasticsearch's, by installed names."""

    manifest: Json
    paths: list[str]
    streams: list[DataStream]
    objects: list[Json] = field(default_factory=list)
    pipelines: dict[str, Json] = field(default_factory=dict)
    source: str = "upload"
    keep_policies: bool = False
    spaces: dict[str, list[Json]] = field(default_factory=dict)
    """Space → references to the objects that were installed there."""
    in_node: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.manifest["name"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.manifest["version"])

    def installed_es(self) -> list[Json]:
        """What an answer says of Elasticsearch's assets."""
        made: list[Json] = [{"id": name, "type": "ingest_pipeline"} for name in self.pipelines]
        for stream in self.streams:
            base = f"{stream.type}-{stream.dataset}"
            made.append({"id": base, "type": "index_template"})
            made += [{"id": f"{base}@{end}", "type": "component_template"} for end in ("package", "custom")]
        return made


def parse(data: bytes) -> Package:
    """The package. Raises: Refusal with the word for its fault."""
    files = _unpacked(data)
    top = next(iter(files)).split("/")[0]
    for path in files:
        if not path.startswith(top):
            text = "Package contains more than one top-level directory; top-level directory found"
            raise Refusal(400, f"{text}: {top}; filePath: {path}")
    if f"{top}/manifest.yml" not in files:
        raise Refusal(400, f"Manifest file {top}/manifest.yml not found in paths.")
    manifest = _yaml(files[f"{top}/manifest.yml"], f"Could not parse top-level package manifest at top-level {top}")
    if any(key not in manifest for key in NEEDED):
        text = f"Invalid top-level package manifest at top-level directory {top} (package name: {manifest.get('name')})"
        raise Refusal(400, f"{text}: one or more fields missing of {', '.join(NEEDED)}.")
    if top != f"{manifest['name']}-{manifest['version']}":
        text = f"Name {manifest['name']} and version {manifest['version']} do not match top-level directory {top}"
        raise Refusal(400, text)
    package = Package(manifest, list(files), _data_streams(files, top, manifest["name"]))
    _check_templates(manifest)
    _check_vars(manifest.get("vars"), "manifest.yml")
    return package


def assets(package: Package, data: bytes) -> None:
    """Read what is installed into ``package``. Raises: Refusal with 500, as when an asset cannot be installed."""
    files = _unpacked(data)
    top = f"{package.name}-{package.version}"
    for path, content in files.items():
        found = re.fullmatch(rf"{re.escape(top)}/kibana/([^/]+)/[^/]+\.json", path)
        if found and found[1] in KIBANA_TYPES:
            package.objects.append(_object(path, content))
    for stream in package.streams:
        package.pipelines |= _pipelines(files, f"{top}/data_stream/{stream.path}", stream, package.version)


def _object(path: str, content: bytes) -> Json:
    try:
        made = json.loads(content)
    except ValueError as error:
        raise Refusal(500, f"Unexpected token in JSON: {path}") from error
    if not made.get("id"):
        raise Refusal(500, f"Cannot read properties of undefined (reading 'id'): {path}")
    check_texts(made.get("attributes", {}), "attributes")
    return dict(made)


def _pipelines(files: dict[str, bytes], folder: str, stream: DataStream, version: str) -> dict[str, Json]:
    main = f"{stream.type}-{stream.dataset}-{version}"
    made = {}
    for path, content in files.items():
        found = re.fullmatch(rf"{re.escape(folder)}/elasticsearch/ingest_pipeline/([^/]+)\.(?:yml|json)", path)
        if not found:
            continue
        text = _REFERENCE.sub(lambda one: main if one[1] == "default" else f"{main}-{one[1]}", content.decode())
        body = _yaml(text.encode(), f"Could not parse pipeline {path}")
        wrong = next(unknown([*(body.get("processors") or []), *(body.get("on_failure") or [])]), None)
        if wrong:
            raise Refusal(500, f"parse_exception: No processor type exists with name [{wrong}]")
        made[main if found[1] == "default" else f"{main}-{found[1]}"] = body
    return made


def _unpacked(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {one.filename: archive.read(one) for one in archive.infolist() if not one.is_dir()}
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        text = "Error during extraction of package: Error: end of central directory record signature not found. Assumed"
        end = "content type was application/zip, check if this matches the archive type."
        raise Refusal(400, f"{text} {end}") from error
    if not files:
        text = "Archive seems empty. Assumed content type was application/zip, check if this matches the archive type."
        raise Refusal(400, text)
    return files


def _data_streams(files: dict[str, bytes], top: str, package: str) -> list[DataStream]:
    inside = re.compile(rf"{re.escape(top)}/data_stream/([^/]+)/.+")
    names = dict.fromkeys(found[1] for found in map(inside.fullmatch, files) if found)
    return [_data_stream(files, f"{top}/data_stream/{name}", name, package) for name in names]


def _data_stream(files: dict[str, bytes], folder: str, name: str, package: str) -> DataStream:
    if f"{folder}/manifest.yml" not in files:
        raise Refusal(400, f"No manifest.yml file found for data stream '{name}'")
    manifest = _yaml(files[f"{folder}/manifest.yml"], f"Could not parse package manifest for data stream '{name}'")
    if not (manifest.get("title") and manifest.get("type")):
        raise Refusal(400, f"Invalid manifest for data stream '{name}': one or more fields missing of 'title', 'type'")
    for stream in manifest.get("streams") or ():
        if not (stream.get("input") and stream.get("title")):
            text = f"Invalid manifest for data stream {name}: stream is missing one or more fields of: input, title"
            raise Refusal(400, text)
        _check_vars(stream.get("vars"), f"data stream {name}")
    dataset = manifest.get("dataset") or f"{package}.{name}"
    elasticsearch, prefix = manifest.get("elasticsearch") or {}, bool(manifest.get("dataset_is_prefix"))
    return DataStream(name, manifest["type"], dataset, manifest.get("streams") or [], elasticsearch, prefix)


def _check_vars(found: Any, place: str) -> None:
    for one in found or ():
        if not (one.get("name") and one.get("type")):
            text = f"Invalid var definition for {place}: one of mandatory fields 'name' and 'type' missing in var"
            raise Refusal(400, f"{text}: {json.dumps(one)}")


def _check_templates(manifest: Json) -> None:
    for one in manifest.get("policy_templates") or ():
        if not all(one.get(key) for key in ("name", "title", "description")):
            text = "one of mandatory fields 'name', 'title', 'description' is missing in policy template"
            raise Refusal(400, f"Invalid top-level manifest: {text}: {json.dumps(one)}")
        for wanted in one.get("inputs") or ():
            if not (wanted.get("type") and wanted.get("title")):
                text = f"one of mandatory fields 'type', 'title' missing in input: {json.dumps(wanted)}"
                raise Refusal(400, f"Invalid top-level manifest: {text}")


def _yaml(content: bytes, words: str) -> Json:
    try:
        read = _parsed(content)
    except (YAMLError, ValueError) as error:
        raise Refusal(400, f"{words}: {str(error).splitlines()[0]}.") from error
    if not isinstance(read, dict):
        raise Refusal(400, f"{words}: not a mapping.")
    return copy.deepcopy(read)


@functools.lru_cache(maxsize=512)
def _parsed(content: bytes) -> Any:
    return YAML(typ="safe", pure=True).load(content.decode())
