"""llm-bundle.pex as this machine makes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bundler.digest import Digest
from bundler.tool.cache import cached
from bundler.tool.carried import carried
from bundler.tool.make import make


@dataclass(frozen=True, slots=True)
class SiteTool:
    """The bytes, their digest, and (distribution, version) of all that they follow from."""

    data: bytes
    digest: Digest
    versions: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def site_tool() -> SiteTool:
    """The tool for the bundle, made once in a process. Raises: MachineError when it cannot be made here."""
    found = carried()
    data = cached(found, make)
    return SiteTool(data, Digest.of(data), found.versions)
