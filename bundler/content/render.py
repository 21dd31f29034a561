"""All files that llm-bundle itself writes into a bundle, from the lock alone: the same lock gives the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bundler.content.agents import agent_files
from bundler.content.config import config_files
from bundler.content.elastic import elastic_files
from bundler.content.elastic_offline import elastic_offline_files
from bundler.content.kibana import kibana_files
from bundler.content.lmstudio import lmstudio_files
from bundler.content.nginx import nginx_files
from bundler.content.proxy import proxy_files
from bundler.content.readme import readme
from bundler.digest import Digest
from bundler.errors import LockError
from bundler.lock.model import Lock, LockedFile


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file with its bytes and its role in the bundle."""

    path: str
    role: str
    data: bytes


def render(lock: Lock) -> tuple[RenderedFile, ...]:
    """The files in path order. Raises: SpecError."""
    texts = {path: (text, "kibana") for path, text in kibana_files(lock).items()}
    config = {
        **config_files(lock),
        **lmstudio_files(lock),
        **proxy_files(lock),
        **nginx_files(lock),
        **agent_files(lock),
    }
    texts |= {path: (text, "config") for path, text in config.items()}
    texts |= elastic_offline_files(lock)
    packages = [RenderedFile(path, "elastic", data) for path, data in elastic_files(lock).items()]
    paths = sorted([*texts, *(package.path for package in packages)])
    texts["README.md"] = (readme(lock, tuple(paths)), "readme")
    written = [RenderedFile(path, role, text.encode()) for path, (text, role) in texts.items()]
    return tuple(sorted([*written, *packages], key=lambda file: file.path))


def with_rendered(lock: Lock) -> Lock:
    """``lock`` with the digests of the files that follow from it. Raises: SpecError."""
    rows = tuple(LockedFile(file.path, len(file.data), Digest.of(file.data)) for file in render(lock))
    return replace(lock, rendered=rows)


def render_locked(lock: Lock, *, tool: str) -> tuple[RenderedFile, ...]:
    """The files, when they are those that the lock promises. ``tool`` is this llm-bundle's version.

    Raises: LockError when this version writes them differently.
    """
    files = render(lock)
    promised = {row.path: row.digest for row in lock.rendered}
    found = {file.path: Digest.of(file.data) for file in files}
    if found != promised:
        path = next(path for path in sorted({*found, *promised}) if found.get(path) != promised.get(path))
        raise LockError(
            f"bundle.lock: {path}: llm-bundle {tool} writes it differently from the {lock.tool} that made the lock",
            hint=f"Build with llm-bundle {lock.tool}, or make the lock anew: llm-bundle lock --update",
        )
    return files
