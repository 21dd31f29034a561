"""What the hub says of a model, read into values that can be trusted in shape.

Rules: no I/O. The hub is not trusted: paths that leave the model's folder or that no bundle can hold, sizes
and digests of a wrong form, a commit that is none, files without end are refused. Formats: the client's
``hf_api.py`` (ModelInfo, RepoSibling) and https://huggingface.co/docs/hub/model-cards for the licence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bundler.digest import Digest
from bundler.errors import SourceError
from bundler.relpath import path_fault

MAX_FILES = 10_000
_COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class HubEntry:
    """A file as the hub lists it: size in bytes, and the digest of an LFS file or the git blob id of another."""

    path: str
    size: int
    digest: Digest | None
    blob: str


@dataclass(frozen=True, slots=True)
class HubRevision:
    """A model at a commit. ``name`` differs from the id asked for when the model was renamed."""

    name: str
    commit: str
    license: str | None
    files: tuple[HubEntry, ...]


def read_revision(info: object, where: str) -> HubRevision:
    """Read the client's ModelInfo; ``where`` names model and hub. Raises: SourceError for what cannot be."""
    commit = getattr(info, "sha", None)
    if not is_commit(commit):
        raise _strange(where, f"expected a commit of 40 hexadecimal digits, found {_shown(commit)}")
    siblings = getattr(info, "siblings", None)
    if not isinstance(siblings, list) or len(siblings) > MAX_FILES:
        count = len(siblings) if isinstance(siblings, list) else "no"
        raise _strange(where, f"expected a list of at most {MAX_FILES} files, found {count} files")
    files = tuple(_entry(one, where) for one in siblings)
    _check_names([file.path for file in files], where)
    name = getattr(info, "id", None)
    return HubRevision(name if isinstance(name, str) else "", str(commit), _license(info), files)


def is_commit(value: object) -> bool:
    """Whether it is a full git commit id."""
    return isinstance(value, str) and _COMMIT.fullmatch(value) is not None


def _entry(sibling: object, where: str) -> HubEntry:
    path, size = getattr(sibling, "rfilename", None), getattr(sibling, "size", None)
    if not isinstance(path, str) or path_fault(path):
        raise _strange(where, f"a file has a name that a bundle cannot hold: {_shown(path)}")
    lfs, blob = getattr(sibling, "lfs", None), getattr(sibling, "blob_id", None)
    if type(size) is not int or size < 0 or (lfs is not None and getattr(lfs, "size", None) != size):
        raise _strange(where, f"{path}: expected its size in bytes, found {_shown(size)}")
    if lfs is None:
        if not is_commit(blob):
            raise _strange(where, f"{path}: expected a git blob id, found {_shown(blob)}")
        return HubEntry(path, size, None, str(blob))
    return HubEntry(path, size, _digest(getattr(lfs, "sha256", None), f"{where}: {path}"), "")


def _digest(value: object, where: str) -> Digest:
    try:
        return Digest(value if isinstance(value, str) else "")
    except ValueError as error:
        raise _strange(where, f"expected a SHA-256, found {_shown(value)}") from error


def _check_names(paths: Sequence[str], where: str) -> None:
    """No path twice, none that is also a folder of another."""
    known: set[str] = set()
    for path in paths:
        if path in known:
            raise _strange(where, f"{path} is listed twice")
        known.add(path)
    for path in paths:
        above = path.rpartition("/")[0]
        while above:
            if above in known:
                raise _strange(where, f"{above} is listed as a file and as the folder of {path}")
            above = above.rpartition("/")[0]


def _license(info: object) -> str | None:
    """The model card's licence; of ``other`` the name that the card gives it."""
    card = getattr(info, "card_data", None)
    stated, named = getattr(card, "license", None), getattr(card, "license_name", None)
    for value in (named, stated) if stated == "other" else (stated,):
        if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 100:
            return value
    return None


def _shown(value: object) -> str:
    return repr(value)[:100]


def _strange(where: str, found: str) -> SourceError:
    hint = "Check HF_ENDPOINT: this is not what a Hugging Face hub says. A mirror may leave things out."
    return SourceError(f"{where}: {found}", hint=hint)
