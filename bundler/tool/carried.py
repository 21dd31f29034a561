"""What llm-bundle.pex carries: our own packages, and of the installed libraries those that the site needs.

Rules: Python source and its data alone, so that one file fits every interpreter and platform. What a library has in
compiled form must also be there in Python (charset_normalizer), and is left out. What only the connected side needs is
not carried: huggingface_hub, pex itself, and the cryptography library, in whose place the site has the openssl program.
rich is carried without what it needs for colouring source text and Markdown, and Elasticsearch's client without its
query language (dsl), the only part of it that wants more libraries. The integration package lies where the
wheel has it, below kibana_assets, also when llm-bundle runs from a checkout.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Final

from bundler.disk import guarded
from bundler.errors import MachineError
from kibana_assets.package.tree import CHECKOUT

OURS: Final = "elastic-llm-bundle"
MAKER: Final = "pex"
PACKAGES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        OURS: ("bundler", "preconfigured", "kibana_assets"),
        "certifi": ("certifi",),
        "charset-normalizer": ("charset_normalizer",),
        "click": ("click",),
        "elastic-transport": ("elastic_transport",),
        "elasticsearch": ("elasticsearch",),
        "idna": ("idna",),
        "requests": ("requests",),
        "rich": ("rich",),
        "ruamel.yaml": ("ruamel.yaml",),
        "urllib3": ("urllib3",),
    }
)
"""Distribution → its packages."""

_INTEGRATION: Final = "kibana_assets/local_llm"
_DATA: Final = frozenset({"certifi/cacert.pem"})
# elastic_transport asks the interpreter for the version of urllib3, which is in no module.
_WITH_METADATA: Final = frozenset({"urllib3"})
_LEFT_OUT: Final = ("elasticsearch/dsl/",)
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
    files = {file.path: file for file in _files(installed)}
    versions = {name: one.version for name, one in installed.items()}
    return Carried(tuple(files[path] for path in sorted(files)), tuple(sorted(versions.items())))


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


def _files(installed: Mapping[str, Distribution]) -> Iterator[CarriedFile]:
    for name, packages in PACKAGES.items():
        for package in packages:
            yield from _package(package, ours=name == OURS)
    if OURS in PACKAGES and CHECKOUT.is_dir():
        yield from _integration()
    for name, one in installed.items():
        yield from _licences(name, one)
        if name in _WITH_METADATA:
            yield from _metadata(name, one)


def _integration() -> Iterator[CarriedFile]:
    with guarded(CHECKOUT, "read"):
        for path, entry in _walk(str(CHECKOUT), _INTEGRATION):
            if "/_dev/" not in path:
                yield CarriedFile(path, Path(entry.path), _state(entry.stat()))


def _licences(name: str, one: Distribution) -> Iterator[CarriedFile]:
    """By RECORD, a line for each installed file (PEP 376); reading it as such takes long, and pex has 2,000."""
    for line in (one.read_text("RECORD") or "").splitlines():
        path = PurePath(line.partition(",")[0])
        if path.parts[0].endswith(".dist-info") and path.name.upper().startswith(_LICENCES):
            source = Path(str(one.locate_file(path)))
            with guarded(source, "read"):
                yield CarriedFile(f"licenses/{name}/{path.name}", source, _state(source.stat()))


def _metadata(name: str, one: Distribution) -> Iterator[CarriedFile]:
    inside = f"{name}-{one.version}.dist-info/METADATA"
    source = Path(str(one.locate_file(inside)))
    with guarded(source, "read"):
        yield CarriedFile(inside, source, _state(source.stat()))


def _package(package: str, *, ours: bool) -> Iterator[CarriedFile]:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise MachineError(f"{package} is not installed, llm-bundle.pex carries it", hint=_AGAIN)
    with guarded(Path(folders[0]), "read"):
        for path, entry in _walk(folders[0], package.replace(".", "/")):
            if _is_carried(path, ours=ours):
                yield CarriedFile(path, Path(entry.path), _state(entry.stat()))
            elif entry.name.endswith(_COMPILED):
                _require_source(Path(entry.path))


def _walk(folder: str, inside: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file that is not hidden, with its path in the pex."""
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{inside}/{entry.name}"
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_dir():
                yield from _walk(entry.path, path)
            else:
                yield path, entry


def _is_carried(path: str, *, ours: bool) -> bool:
    if ours:
        return not path.endswith(("~", ".pyc", "py.typed"))
    return (path.endswith(".py") and not path.startswith(_LEFT_OUT)) or path in _DATA


def _require_source(file: Path) -> None:
    """Raises: MachineError when the compiled module ``file`` has no twin in Python."""
    twin = file.with_name(f"{file.name.partition('.')[0]}.py")
    if not twin.is_file():
        raise MachineError(
            f"{file}: is there in compiled form alone; llm-bundle.pex carries Python that every machine can run",
            hint="Install another version of that library.",
        )


def _state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
