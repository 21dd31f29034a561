"""Elastic's package registry: which version of a package a Kibana takes (elastic/package-registry, ``/search``).

Rules: the registry decides what fits, as it does for Kibana itself; what it answers is held against what was asked.
"""

from __future__ import annotations

from typing import Final

from bundler.errors import SourceError
from bundler.jsonrow import parse_rows
from bundler.sources.address import host, safe
from bundler.sources.http import Http
from bundler.spec.elastic_sites import PACKAGE_VERSION, search_url
from bundler.spec.model import Package

_MOST: Final = 16 << 20
_SHOWN: Final = 5


def find_version(package: Package, stack: str, http: Http) -> str:
    """The version of ``package`` for Kibana ``stack``: the one that is asked for, or the newest.

    Raises: SourceError when the registry has none, or answers something else than it was asked.
    """
    url = search_url(package, stack)
    rows = parse_rows(http.small(url, _MOST), safe(url), SourceError)
    names = [row.text("name") for row in rows]
    if any(name != package.name for name in names):
        other = next(name for name in names if name != package.name)
        raise SourceError(f"{safe(url)}: was asked for the package {package.name}, answered with {other[:80]!r}",
                          hint="A mirror must pass on what follows the question mark.")  # fmt: skip
    found = [row.text("version") for row in rows]
    odd = next((version for version in found if not PACKAGE_VERSION.fullmatch(version)), None)
    if odd is not None:
        raise SourceError(f"{safe(url)}: expected the version of a package, found {odd[:80]!r}")
    if package.version and package.version not in found:
        has = f"it has {', '.join(found[-_SHOWN:])}" if found else "it has none"
        raise SourceError(f"{host(url)}: no {package.name} {package.version} for Kibana {stack}; {has}",
                          hint="Leave the version out to take the newest that fits.")  # fmt: skip
    if not found:
        raise SourceError(f"{host(url)}: no package {package.name} for Kibana {stack}",
                          hint="Check the name: it is the last part of the package's address in Elastic's"
                          " documentation of integrations.")  # fmt: skip
    return package.version or found[0]
