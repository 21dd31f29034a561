"""Where Elastic's artefacts are, by the version of the stack: the data in ``elastic.json``.

Rules: which files there are follows from ``elastic:`` and the versions of its packages, and from nothing else, so that
a lock need hold no address. Their paths below ``elastic/`` are those that Elastic's programs ask for, whether the
folder is read as files or served by a web server as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from bundler.spec.model import Elastic, Package

FOLDER: Final = "elastic"
DOWNLOADS: Final = f"{FOLDER}/downloads"
PACKAGES: Final = f"{FOLDER}/packages"
PRODUCT_DOCS: Final = f"{FOLDER}/product-docs"
ML_MODELS: Final = f"{FOLDER}/ml-models"

PACKAGE_VERSION: Final = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(?:[+-][0-9A-Za-z.+-]{1,60})?")
_PACKAGE: Final = re.compile(rf"{PACKAGES}/([a-z0-9_]+)-({PACKAGE_VERSION.pattern})\.zip")

Minor = tuple[int, int]
Kind = Literal["download", "package", "document", "model"]


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file: its address, and its path in the bundle."""

    url: str
    path: str


@dataclass(frozen=True, slots=True)
class Group:
    """Files that vouch for each other; the first is what is wanted. ``title`` is for people.

    download: the archive, its ``.sha512``, its signature. package: the zip and its signature. document: the zip.
    model: the weights, ``metadata.json``, the vocabulary.
    """

    kind: Kind
    title: str
    files: tuple[Artefact, ...]


@dataclass(frozen=True, slots=True)
class Sites:
    """The data. ``spec_max`` are (first stack, newest format of a package that its Kibana takes), oldest first."""

    downloads: Mapping[str, Any]
    packages: Mapping[str, Any]
    docs: Mapping[str, Any]
    elser_url: str
    beats: tuple[str, ...]
    platforms: Mapping[str, str]
    spec_max: tuple[tuple[Minor, str], ...]
    products: tuple[str, ...]
    docs_since: Minor
    docs_from_files_since: Minor
    elser: Mapping[str, str]
    elser_since: Minor


@cache
def sites() -> Sites:
    """What ``elastic.json`` says."""
    data = json.loads(resources.files("bundler.spec").joinpath("elastic.json").read_text(encoding="utf-8"))
    downloads, packages, docs, elser = (data[key] for key in ("downloads", "packages", "product_docs", "elser"))
    return Sites(
        downloads=downloads,
        packages=packages,
        docs=docs,
        elser_url=elser["url"],
        beats=tuple(downloads["beats"]),
        platforms=downloads["platforms"],
        spec_max=tuple((_minor(row["since"]), row["max"]) for row in packages["spec_max"]),
        products=tuple(docs["products"]),
        docs_since=_minor(docs["since"]),
        docs_from_files_since=_minor(docs["from_files_since"]),
        elser=elser["variants"],
        elser_since=_minor(elser["since"]),
    )


def numbers(version: str) -> tuple[int, ...]:
    """``9.2.0`` as numbers."""
    return tuple(int(part) for part in version.split("."))


def minor(version: Minor) -> str:
    """``(9, 2)`` as ``9.2``."""
    return f"{version[0]}.{version[1]}"


def _minor(text: str) -> Minor:
    major, small = text.split(".")
    return int(major), int(small)


def search_url(package: Package, stack: str) -> str:
    """Where the registry says which versions of ``package`` the stack's Kibana takes: the newest one, or all."""
    data = sites()
    newest = [most for since, most in data.spec_max if since <= numbers(stack)[:2]]
    text: str = data.packages["search"] + (data.packages["every_version"] if package.version else "")
    return text.format(name=package.name, stack=stack, spec=newest[-1] if newest else data.spec_max[0][1])


def groups(elastic: Elastic, versions: Mapping[str, str]) -> tuple[Group, ...]:
    """All that ``elastic`` asks for; ``versions`` are those of its packages, by name."""
    found = []
    if elastic.agent:
        found.append(_download("Elastic Agent", "elastic-agent", elastic.agent, elastic.platform))
    found += [_download(beat.name.capitalize(), beat.name, beat.version, elastic.platform) for beat in elastic.beats]
    found += [_package(package.name, versions[package.name]) for package in elastic.packages]
    found += [_document(product, elastic.stack) for product in elastic.product_docs]
    found += [_model(sites().elser[variant]) for variant in elastic.elser]
    return tuple(found)


def locked_artefacts(elastic: Elastic | None, paths: Iterable[str]) -> tuple[Artefact, ...] | None:
    """The files of all groups, where ``paths`` in a lock say the versions of packages; None where one is missing."""
    if elastic is None:
        return ()
    found = {match[1]: match[2] for match in map(_PACKAGE.fullmatch, paths) if match}
    versions = {one.name: one.version or found.get(one.name, "") for one in elastic.packages}
    if not all(versions.values()):
        return None
    return tuple(file for group in groups(elastic, versions) for file in group.files)


def _download(title: str, name: str, version: str, platform: str) -> Group:
    data = sites().downloads
    form: str = data["agent" if name == "elastic-agent" else "beat"]
    path = form.format(name=name, version=version, platform=sites().platforms[platform])
    paths = (path, f"{path}.sha512", f"{path}.asc")
    files = tuple(Artefact(data["url"].format(path=one), f"{DOWNLOADS}/{one}") for one in paths)
    return Group("download", f"{title} {version}", files)


def _package(name: str, version: str) -> Group:
    url: str = sites().packages["url"].format(name=name, version=version)
    path = f"{PACKAGES}/{name}-{version}.zip"
    return Group("package", f"package {name} {version}", (Artefact(url, path), Artefact(f"{url}.sig", f"{path}.sig")))


def _document(product: str, stack: str) -> Group:
    data, version = sites().docs, ".".join(stack.split(".")[:2])
    file = data["file"].format(product=product, minor=version)
    artefact = Artefact(data["url"].format(file=file), f"{PRODUCT_DOCS}/{file}")
    return Group("document", f"documentation of {product} {version}", (artefact,))


def _model(name: str) -> Group:
    files = (f"{name}.pt", f"{name}.metadata.json", f"{name}.vocab.json")
    url = sites().elser_url
    return Group(
        "model", f"ELSER ({name})", tuple(Artefact(url.format(file=one), f"{ML_MODELS}/{one}") for one in files)
    )
