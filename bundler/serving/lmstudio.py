"""What LM Studio is to serve: ``config/lmstudio.json`` of a bundle. Made from the lock, read as hostile input.

Rules: the sources are below the release's ``models/``; ``folder`` is ``<publisher>/<repository>``, the only depth at
which LM Studio looks, and ends in digits that follow from the files, so that other bytes never want the same place.
What only the site knows (user, home, where ``lms`` is, GPU or not) is not here. Command lines: lms's own source,
https://github.com/lmstudio-ai/lms/tree/main/src/subcommands.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.jsonrow import Row, parse
from bundler.relpath import path_fault

FORMAT: Final = "llm-bundle-lmstudio/1"
PATH: Final = "config/lmstudio.json"
MAX_BYTES: Final = 1 << 20
PORT: Final = 1234
LOOPBACK: Final = "127.0.0.1"

_MOST_FILES: Final = 10_000
_MOST_ARGS: Final = 1000
_MOST_CONTEXT: Final = 100_000_000
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A GGUF file: ``source`` below the release, ``size`` in bytes."""

    source: str
    size: int
    digest: Digest

    @property
    def name(self) -> str:
        """Its name in LM Studio's folder."""
        return self.source.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class LmStudioPlan:
    """One model. ``identifier`` is what clients call it; ``main`` the file that is loaded, the first of its parts.

    ``context`` is in tokens; ``args`` are the user's for ``lms load``; ``port`` is that of the server.
    """

    identifier: str
    folder: str
    main: str
    files: tuple[ModelFile, ...]
    context: int
    args: tuple[str, ...] = ()
    port: int = PORT

    @property
    def path(self) -> str:
        """The model as LM Studio lists it: ``<publisher>/<repository>/<file>.gguf``."""
        return f"{self.folder}/{self.main}"

    def encode(self) -> bytes:
        """The bytes of config/lmstudio.json: sorted keys, two spaces, a line feed at the end."""
        document = {
            "format": FORMAT,
            "engine": "lmstudio",
            "identifier": self.identifier,
            "folder": self.folder,
            "main": self.main,
            "files": [{"source": one.source, "size": one.size, "digest": str(one.digest)} for one in self.files],
            "context": self.context,
            "args": list(self.args),
            "port": self.port,
        }
        return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def load_args(plan: LmStudioPlan, *, gpu: bool = True) -> tuple[str, ...]:
    """``lms load``: the user's arguments first, so that what connectors and health check count on wins.

    ``--exact`` takes the path as it is listed. Without it lms guesses: by the path in old versions, by a key of its
    own in new ones, and takes the first that is alike.
    """
    fixed = ("--exact", "--context-length", str(plan.context), "--gpu", "max" if gpu else "off")
    return ("load", *plan.args, *fixed, "--identifier", plan.identifier, "-y", plan.path)


def server_args(plan: LmStudioPlan, *, bind: bool = True) -> tuple[str, ...]:
    """``lms server start``; ``bind`` False for an lms that does not know the option and listens on the loopback."""
    return ("server", "start", "--port", str(plan.port), *(("--bind", LOOPBACK) if bind else ()))


def decode(data: bytes, *, where: str = PATH) -> LmStudioPlan:
    """Read a lmstudio.json. Raises: IntegrityError, with the place, for anything that is not one."""
    if len(data) > MAX_BYTES:
        raise IntegrityError(f"{where}: larger than {MAX_BYTES:,} bytes")
    row = parse(data, where, IntegrityError)
    for key, expected in (("format", FORMAT), ("engine", "lmstudio")):
        if row.text(key) != expected:
            hint = "This bundle was made by another llm-bundle; use the tool that lies in the bundle."
            raise IntegrityError(f'{where}: {key}: expected "{expected}", found "{row.text(key)[:40]}"', hint=hint)
    files = row.rows("files", _file, _MOST_FILES)
    names = [file.name for file in files]
    if len({name.lower() for name in names}) != len(names):
        raise row.wrong("files", "files with different names")
    if row.text("main") not in names:
        raise row.wrong("main", "the name of one of the files")
    args = row.texts("args", _MOST_ARGS)
    if any(map(_CONTROL.search, args)):
        raise row.wrong("args", "texts of one line without control characters")
    return LmStudioPlan(
        identifier=_identifier(row),
        folder=_folder(row),
        main=row.text("main"),
        files=files,
        context=_from_one(row, "context", _MOST_CONTEXT),
        args=args,
        port=_from_one(row, "port", 65535),
    )


def _file(row: Row) -> ModelFile:
    source = row.text("source", 1024)
    fault = path_fault(source)
    if fault or not source.startswith("models/"):
        raise row.wrong("source", "a path below models/" + (f" (it {fault})" if fault else ""))
    if not source.lower().endswith(".gguf") or source.rpartition("/")[2].startswith((".", "-")):
        raise row.wrong("source", "a file *.gguf")
    return ModelFile(source, row.number("size"), row.digest("digest"))


def _folder(row: Row) -> str:
    folder = row.text("folder", 512)
    parts = folder.split("/")
    if path_fault(folder) or len(parts) != 2 or any(part.startswith((".", "-")) for part in parts):
        raise row.wrong("folder", "publisher/repository")
    return folder


def _identifier(row: Row) -> str:
    identifier = row.text("identifier", 1024)
    if _CONTROL.search(identifier) or identifier.startswith("-"):
        raise row.wrong("identifier", "a text of one line that does not begin with -")
    return identifier


def _from_one(row: Row, key: str, most: int) -> int:
    number = row.number(key, most)
    if number < 1:
        raise row.wrong(key, f"a whole number from 1 to {most}")
    return number
