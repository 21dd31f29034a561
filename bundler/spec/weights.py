"""``models:`` and ``files:`` → model sources and extra files.

Rules: an id is one that the hub permits, for it becomes a folder of the bundle; ids and paths are unique also where
case does not count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bundler.relpath import path_fault
from bundler.spec.address import last_part, read_sha256, read_url
from bundler.spec.document import Scalar, Sequence
from bundler.spec.fields import Field
from bundler.spec.keys import FILE, FOLDER_MODEL, HUB_MODEL, PATTERNS, URL_MODEL
from bundler.spec.model import (
    ExtraFile,
    FilePatterns,
    FolderModel,
    HubModel,
    ModelSource,
    RegistryAccess,
    UrlModel,
)
from bundler.spec.relative import clash
from bundler.spec.wording import quoted

# As in huggingface_hub/utils/_validators.py, where two more rules stand: no "--" or "..", no ".git" at the end.
_ID_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_ID = re.compile(rf"(?!.*(?:--|\.\.))(?:{_ID_PART}/)?{_ID_PART}(?<!\.git)")
_ID_HINT = "as the hub has it: organisation/name, letters, digits, - _ and ., no -- and no .."
# What git allows in a ref (git-check-ref-format(1)), a little narrower.
_REVISION = re.compile(r"(?!.*(?:\.\.|//|@\{))[A-Za-z0-9_][A-Za-z0-9._/+@-]{0,254}(?<![/.])")


def read_models(field: Field, registries: Mapping[str, RegistryAccess]) -> tuple[ModelSource, ...]:
    """The models, at least one. Raises: SpecError."""
    items = field.items("a list of models")
    if not items:
        raise field.error("expected at least one model, found an empty list")
    models = tuple(_model(item, registries) for item in items)
    for position, item in enumerate(items):
        found = clash(model.id for model in models[: position + 1])
        if found and found[0] == found[1]:
            raise item.error(f"model {quoted(found[1])} stands twice", hint="keep one of the two")
        if found:
            raise item.error(f"models {quoted(found[0])} and {quoted(found[1])} {found[2]}")
    return models


def _model(field: Field, registries: Mapping[str, RegistryAccess]) -> ModelSource:
    if isinstance(field.node, Scalar):
        return HubModel(_id(field))
    if isinstance(field.node, Sequence):
        raise field.expected("a model, as an id or as a mapping")
    keys = field.pairs()
    if "folder" in keys and "url" in keys:
        hint = "keep folder: for weights on this machine, url: for one file to download"
        raise field.error("folder and url exclude each other", hint=hint)
    if "folder" in keys:
        return _folder_model(field)
    if "url" in keys:
        return _url_model(field, registries)
    section = field.section(HUB_MODEL)
    revision = section.get("revision")
    what = "a branch, a tag or a commit"
    return HubModel(
        _id(section["id"]),
        revision.matching(_REVISION, what) if revision else "main",
        _patterns(section.get("files")),
        _texts(section.get("allow_pickle")),
    )


def _folder_model(field: Field) -> FolderModel:
    section = field.section(FOLDER_MODEL)
    return FolderModel(
        _id(section["id"]),
        section["folder"].text("a folder on this machine"),
        _patterns(section.get("files")),
        _texts(section.get("allow_pickle")),
    )


def _url_model(field: Field, registries: Mapping[str, RegistryAccess]) -> UrlModel:
    section = field.section(URL_MODEL)
    url = read_url(section["url"], registries)
    path = section.get("path")
    name = read_path(path) if path else last_part(url)
    if path_fault(name):
        message = "the address does not end in a file name"
        raise section["url"].error(message, hint="say path: NAME.gguf beside it")
    sha256 = read_sha256(section["sha256"])
    return UrlModel(_id(section["id"]), url, sha256, name, _texts(section.get("allow_pickle")))


def _id(field: Field) -> str:
    return field.matching(_ID, "a model id", hint=_ID_HINT)


def _patterns(field: Field | None) -> FilePatterns:
    if field is None:
        return FilePatterns()
    section = field.section(PATTERNS)
    return FilePatterns(_texts(section.get("include")), _texts(section.get("exclude")))


def _texts(field: Field | None) -> tuple[str, ...]:
    return field.texts() if field else ()


def read_path(field: Field) -> str:
    """A relative path that stays in its folder. Raises: SpecError."""
    path = field.text("a relative path")
    fault = path_fault(path)
    if fault:
        raise field.error(f"expected a relative path, found {quoted(path)}, which {fault}")
    return path


def read_files(field: Field | None, registries: Mapping[str, RegistryAccess]) -> tuple[ExtraFile, ...]:
    """The extra files. Raises: SpecError."""
    if field is None:
        return ()
    files: list[ExtraFile] = []
    for item in field.items("a list of files"):
        section = item.section(FILE)
        path = read_path(section["path"])
        if not path.startswith("extra/"):
            raise section["path"].expected("a path below extra/", hint=f"write extra/{path}"[:120])
        url = read_url(section["url"], registries)
        files.append(ExtraFile(url, read_sha256(section["sha256"]), path))
        found = clash(file.path for file in files)
        if found:
            raise section["path"].error(f"{quoted(found[0])} and {quoted(found[1])} {found[2]}")
    return tuple(files)
