"""Weights that run code when they are loaded.

Rules: a pickle is refused unless ``allow_pickle`` of the model names it. A file counts as one by its name, or, where
the name does not settle it, by its first bytes; ``.pth`` passes only when they cannot be a pickle of any protocol.
A zip or tar counts too, for what PyTorch saves is one; NumPy reads an ``.npz`` without pickles unless told otherwise.
Sources: https://docs.python.org/3/library/pickle.html (the warning at its top and protocol 0 to 5),
https://pytorch.org/docs/stable/notes/serialization.html (zip, once tar).
"""

from __future__ import annotations

import pickletools
import posixpath
import re
from collections.abc import Collection

from bundler.errors import SpecError
from bundler.models.interface import ModelFiles
from bundler.models.place import Place, shown

_BY_NAME = (".bin", ".pt", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill")
_CHECKED_ELSEWHERE = (".safetensors", ".gguf", ".npz")
_TEXT = (".json", ".jsonl", ".txt", ".md", ".jinja", ".py", ".yaml", ".yml", ".toml", ".tiktoken", ".html", ".csv")
_PICTURES = (".pdf", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
_HARMLESS = (*_CHECKED_ELSEWHERE, *_TEXT, *_PICTURES)
_HEAD = 512
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_OBJECT_ARRAY = re.compile(rb"'descr': *(\[.*)?'\|?O'", re.DOTALL)
_ZIP, _NPY, _TAR = b"PK\x03\x04", b"\x93NUMPY", b"ustar"


def is_pickle_name(path: str) -> bool:
    """Whether the name alone says that loading the file runs code."""
    return path.lower().endswith(_BY_NAME)


def find_pickles(files: ModelFiles) -> tuple[str, ...]:
    """The files that run code when loaded, in path order; at most 512 bytes of a file are read."""
    return tuple(path for path in sorted(files.paths) if is_pickle_name(path) or _looks_pickled(files, path))


def check_pickles(files: ModelFiles, allowed: Collection[str], where: str) -> tuple[str, ...]:
    """The pickles among ``files``. Raises: SpecError for one that ``allowed`` does not name by its whole path."""
    for name in allowed:
        if name not in files.paths:
            raise SpecError(
                f"{where}: allow_pickle: no file of the model is called {shown(name)}",
                hint="write the path as it stands in the repository, and see that files.include takes it",
            )
    pickles = find_pickles(files)
    for path in pickles:
        if path not in allowed:
            raise _refused(Place(where, path))
    return pickles


def _looks_pickled(files: ModelFiles, path: str) -> bool:
    if path.lower().endswith(_HARMLESS):
        return False
    size = min(files.paths[path], _HEAD)
    head = files.read(path, 0, size) if size else b""
    if head.startswith(_NPY):
        return _OBJECT_ARRAY.search(head) is not None
    archive = head.startswith(_ZIP) or head[257:262] == _TAR
    unsure = path.lower().endswith(".pth") and _could_be_pickle(head)
    return archive or unsure or _PICKLE.match(head) is not None


def _could_be_pickle(head: bytes) -> bool:
    """Whether the bytes are opcodes up to their end or to a STOP, as those of the protocols 0 and 1 without a magic."""
    steps = 0
    try:
        for _ in pickletools.genops(head):
            steps += 1
    except ValueError as error:
        return steps > 0 and "unknown" not in str(error)
    return steps > 1


def _refused(place: Place) -> SpecError:
    name = posixpath.basename(place.path)
    return place.fault(
        "pickled weights, which can run any code on the machine that loads them",
        hint="choose a model or revision with safetensors, or leave the file out with files.exclude; if you trust "
        f"who made {shown(name)}, write allow_pickle: [{shown(place.path)}] beside the model",
    )
