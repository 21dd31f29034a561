"""Side files: what the engine would fetch when it starts, which no site without a network can.

Rules: which they are follows from the served model's family, and from nothing else; one that ``files:`` brings under
its own name is used as it is. All of them lie in one folder, for the engine is told of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bundler.errors import SourceError
from bundler.lock.model import LockedFile, LockedModel
from bundler.sources.kinds import Sources
from bundler.spec.families import Family, Fetched, family_of
from bundler.spec.model import ExtraFile, Spec

FOLDER: Final = "extra/side"


def side_files(spec: Spec, models: Iterable[LockedModel]) -> tuple[ExtraFile, ...]:
    """The side files that ``files:`` does not bring, each with its place in the bundle."""
    family = _family(spec, models)
    if family is None:
        return ()
    brought = {file.path for file in spec.files}
    names = {one.name for one in family.fetched}
    folder = next((_folder(file.path) for file in spec.files if _name(file.path) in names), FOLDER)
    needed = ((one, f"{folder}/{one.name}") for one in family.fetched)
    return tuple(ExtraFile(one.url, one.digest, path) for one, path in needed if path not in brought)


def lock_side_file(file: ExtraFile, sources: Sources) -> LockedFile:
    """Look one up. Raises: SourceError that says what it is for, and how else it can be brought."""
    try:
        return LockedFile(file.path, sources.http.look(file.url), file.digest)
    except SourceError as error:
        host = file.url.split("/")[2]
        hint = (
            f"Name a mirror (registries: {{{host}: {{mirrors: [HOST/PREFIX]}}}}), or bring the file by files: "
            f"{{url: …, sha256: {file.digest.hex}, path: {file.path}}}."
        )
        why = f"a side file: the engine would fetch {_name(file.path)} when it starts, and cannot at the site"
        raise SourceError(f"{error.message} ({why})", hint=hint) from error


def other_than_known(spec: Spec, models: Iterable[LockedModel]) -> tuple[str, ...]:
    """A sentence for each side file in ``files:`` that is not the one that the engine expects."""
    family = _family(spec, models)
    known: dict[str, Fetched] = {one.name: one for one in family.fetched} if family else {}
    found = ((file, known.get(_name(file.path))) for file in spec.files)
    return tuple(
        f"files: {file.path} has another digest than the {one.name} that {one.by} expects, which may refuse it"
        for file, one in found
        if one and one.digest != file.digest
    )


def _family(spec: Spec, models: Iterable[LockedModel]) -> Family | None:
    served = next((model for model in models if model.id == spec.serve.model), None)
    if served is None or spec.serve.engine != "vllm":
        return None
    return family_of(served.id, served.facts.architecture)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
