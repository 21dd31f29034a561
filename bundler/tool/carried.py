"""What llm-bundle.pex carries: our own packages, and of the installed libraries those that the site needs.

Rules: Python source and its data alone, so that one file fits every interpreter and platform. What a library has in
compiled form must also be there in Python (charset_normalizer), and is left out. What only the connected side needs is
not carried: huggingface_hub, pex itself, and the cryptography library, in whose place the site has the openssl program.
rich is carried without what it needs for colouring source text and Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Final

from bundler.disk import guarded
from bundler.errors import MachineError

OURS: Final = "elastic-llm-bundle"
MAKER: Final = "pex"
PACKAGES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        OURS: ("bundler", "preconfigured", "kibana_assets"),
        "certifi": ("certifi",),
        "charset-normalizer": ("charset_normalizer",),
        "click": ("click",),
        "idna": ("idna",),
        "requests": ("requests",),
        "rich": ("rich",),
        "ruamel.yaml": ("ruamel.yaml",),
        "urllib3": ("urllib3",),
    }
)
"""Distribution → its packages."""

_DATA: Final = frozenset({"certifi/cacert.pem"})
_LICENCES: Final = ("LICENSE", "LICENCE", "COPYING", "NOTICE")
_COMPILED: Final = (".so", ".pyd")
_AGAIN: Final = "Install llm-bundle anew: pip install --force-reinstall elastic-llm-bundle"


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """``source`` on this machine becomes ``path`` in the pex; ``state`` changes whenever the file is written."""

    path: str
    source: Path
    state: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """All files in path order, and (distribution, version) of all that decides the bytes, pex among them."""

    files: tuple[CarriedFile, ...]
    versions: tuple[tuple[str, str], ...]


def carried() -> Carried:
    """What this machine's llm-bundle.pex is made of. Raises: MachineError when something is not installed."""
    installed = {name: _distribution(name) for name in (*PACKAGES, MAKER)}
    found = dict(_files(installed))
    return Carried(
        tuple(CarriedFile(path, found[path], _state(found[path])) for path in sorted(found)),
        tuple(sorted((name, one.version) for name, one in installed.items())),
    )


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        if __file__.endswith(f".pex/{__name__.replace('.', '/')}.py"):
            raise MachineError(
                "llm-bundle.pex is made for the secure site: it can neither lock, plan nor build",
                hint="Do that on the connected machine, where llm-bundle is installed: pip install elastic-llm-bundle",
            ) from error
        raise MachineError(f"{name} is not installed, llm-bundle.pex is made with it", hint=_AGAIN) from error


def _files(installed: Mapping[str, Distribution]) -> Iterator[tuple[str, Path]]:
    for name, packages in PACKAGES.items():
        for package in packages:
            yield from _package(package, ours=name == OURS)
    for name, one in installed.items():
        for file in one.files or ():
            if file.parts[0].endswith(".dist-info") and file.name.upper().startswith(_LICENCES):
                yield f"licenses/{name}/{file.name}", Path(str(one.locate_file(file)))


def _package(package: str, *, ours: bool) -> Iterator[tuple[str, Path]]:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise MachineError(f"{package} is not installed, llm-bundle.pex carries it", hint=_AGAIN)
    root = Path(folders[0])
    with guarded(root, "read"):
        for file in sorted(root.rglob("*")):
            inside = PurePath(*package.split("."), file.relative_to(root))
            if file.is_file() and _is_carried(inside, ours=ours):
                yield inside.as_posix(), file
            elif file.suffix in _COMPILED:
                _require_source(file)


def _is_carried(path: PurePath, *, ours: bool) -> bool:
    if ours:
        hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
        return not hidden and not path.name.endswith(("~", ".pyc", "py.typed"))
    return path.suffix == ".py" or path.as_posix() in _DATA


def _require_source(file: Path) -> None:
    """Raises: MachineError when the compiled module ``file`` has no twin in Python."""
    twin = file.with_name(f"{file.name.partition('.')[0]}.py")
    if not twin.is_file():
        raise MachineError(
            f"{file}: is there in compiled form alone; llm-bundle.pex carries Python that every machine can run",
            hint="Install another version of that library.",
        )


def _state(file: Path) -> tuple[int, ...]:
    with guarded(file, "read"):
        found = file.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
