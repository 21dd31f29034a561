"""The package's sources: where they lie, and reading them.

Rules: in a checkout they are the folder ``package`` at the root; in the wheel, and in the tool that travels in a
bundle and runs from its zip file, the same tree is data of kibana_assets. Tests (``_dev``) and hidden files are no part
of it. Every read is bounded. YAML is 1.2 as Fleet reads it; a key that stands twice is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kibana_assets.errors import MachineError, PackageError

if TYPE_CHECKING:  # the module's name differs between versions of Python
    from importlib.abc import Traversable

# The largest file of a package: a dashboard of Elastic's with everything by value has less than 2 MB.
MOST_BYTES: Final = 8 << 20
CHECKOUT: Final = Path(__file__).parent.parent.parent / "package"


@dataclass(frozen=True, slots=True)
class Tree:
    """The package's files: path (``/`` between parts) → bytes, in path order."""

    files: Mapping[str, bytes]

    def paths(self, folder: str, suffix: str) -> tuple[str, ...]:
        """The files right in ``folder`` whose names end in ``suffix``."""
        found = (path for path in self.files if path.startswith(f"{folder}/") and path.endswith(suffix))
        return tuple(path for path in found if "/" not in path[len(folder) + 1 :])

    def text(self, path: str) -> str:
        """A file as text. Raises: PackageError if it is missing or not UTF-8."""
        if path not in self.files:
            raise PackageError(f"{path}: missing", hint="A package needs this file.")
        try:
            return self.files[path].decode("utf-8")
        except UnicodeDecodeError as error:
            raise PackageError(f"{path}: byte {error.start}: not UTF-8", hint="Save it as UTF-8.") from error

    def yaml(self, path: str) -> Any:
        """What a YAML file says. Raises: PackageError with line and column."""
        return parse_yaml(self.text(path), path)

    def json(self, path: str) -> Any:
        """What a JSON file says. Raises: PackageError with line and column."""
        return parse_json(self.text(path), path)


def load() -> Tree:
    """The package that this llm-bundle has. Raises: MachineError if it is lost or cannot be read; PackageError."""
    for place in (resources.files("kibana_assets").joinpath("local_llm"), CHECKOUT):
        if place.joinpath("manifest.yml").is_file():
            return read_tree(place)
    raise MachineError("this llm-bundle has lost its integration package", hint="Install llm-bundle again.")


def read_tree(folder: Traversable) -> Tree:
    """The files below a package's folder. Raises: MachineError; PackageError for one that is too large."""
    try:
        found = dict(sorted(_walk(folder, "")))
    except OSError as error:
        raise MachineError(f"{folder}: cannot be read: {error.strerror}", hint="Look at what is there.") from error
    return Tree(MappingProxyType(found))


def parse_yaml(text: str, place: str) -> Any:
    """What ``text`` says, as dict, list and scalars; ``place`` names it in errors.

    Raises: PackageError with line and column.
    """
    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{place}:{mark.line + 1}:{mark.column + 1}" if mark else place
        raise PackageError(f"{where}: not YAML: {error.problem}", hint="Correct that line.") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise PackageError(f"{place}: not YAML: {error}", hint="Correct the file.") from error


def parse_json(text: str, place: str) -> Any:
    """What ``text`` says; ``place`` names it in errors. Raises: PackageError with line and column."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{place}:{error.lineno}:{error.colno}"
        raise PackageError(f"{where}: not JSON: {error.msg}", hint="Correct that line.") from error
    except RecursionError as error:
        raise PackageError(f"{place}: nested too deep", hint="Correct the file.") from error


def _walk(folder: Traversable, above: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        path = above + entry.name
        if entry.name.startswith(".") or entry.name == "_dev":
            continue
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        else:
            yield path, _bytes(entry, path)


def _bytes(file: Traversable, path: str) -> bytes:
    with file.open("rb") as stream:
        data: bytes = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise PackageError(f"{path}: larger than {MOST_BYTES} bytes", hint="A file of a package is small; make it so.")
    return data
