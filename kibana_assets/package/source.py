"""Where the package's sources lie, and reading its files.

Rules: in a checkout they are the folder ``package`` at the root; in the wheel and in the tool that travels in a
bundle, the same tree as data of kibana_assets. Every read is bounded. YAML is 1.2 as Fleet reads it; a key that
stands twice is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kibana_assets.errors import MachineError, PackageError

# The largest file of a package: a dashboard of Elastic's with everything by value has less than 2 MB.
MOST: Final = 8 * 1024 * 1024
_INSTALLED: Final = Path(__file__).parent.parent / "local_llm"
_CHECKOUT: Final = Path(__file__).parent.parent.parent / "package"


def folder() -> Path:
    """The package's folder.

    Raises: MachineError if this installation has lost it.
    """
    for place in (_INSTALLED, _CHECKOUT):
        if (place / "manifest.yml").is_file():
            return place
    raise MachineError(
        f"the integration package is missing: neither {_INSTALLED} nor {_CHECKOUT} has a manifest.yml",
        hint="Install llm-bundle again.",
    )


def read_bytes(path: Path) -> bytes:
    """The bytes of a file of the package, 8 MiB at most.

    Raises: MachineError if it cannot be read; PackageError if it is larger.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST + 1)
    except OSError as error:
        raise MachineError(f"{path}: cannot be read: {error.strerror}", hint="Look at the file.") from error
    if len(data) > MOST:
        raise PackageError(f"{path}: larger than {MOST} bytes", hint="A file of a package is small; make it so.")
    return data


def read_text(path: Path) -> str:
    """A file as text.

    Raises: MachineError; PackageError if it is not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise PackageError(f"{path}: byte {error.start}: not UTF-8", hint="Save it as UTF-8.") from error


def read_yaml(path: Path) -> Any:
    """What a YAML file says, as dict, list and scalars.

    Raises: MachineError; PackageError with line and column.
    """
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, place: str) -> Any:
    """What ``text`` says; ``place`` names it in errors.

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


def read_json(path: Path) -> Any:
    """What a JSON file says.

    Raises: MachineError; PackageError with line and column.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise PackageError(
            f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}", hint="Correct that line."
        ) from error
    except RecursionError as error:
        raise PackageError(f"{path}: nested too deep", hint="Correct the file.") from error
