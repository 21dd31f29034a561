"""Container engines: which are here, with version, storage driver and rootless or not; one is a must."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bundler.disk import is_there
from bundler.errors import BundleError, MachineError
from bundler.site.doctor.interface import Engines, Finding, Wish
from bundler.site.engines.docker import Docker
from bundler.site.engines.docker_api import socket_path
from bundler.site.engines.interface import EngineInfo, Images
from bundler.site.engines.podman import Podman

_SLOW = ("vfs", "devicemapper")


def engines_here(chosen: str | None = None) -> Iterator[tuple[EngineInfo | None, BundleError | None]]:
    """Each engine's own word, or why it gives none; those that are not installed or not ``chosen`` are left out."""
    makers: list[type[Docker] | type[Podman]] = []
    try:
        if chosen != "podman" and is_there(socket_path()):
            makers.append(Docker)
    except MachineError as error:
        yield None, error
    if chosen != "docker":
        makers.append(Podman)
    for make in makers:
        try:
            engine: Images = make()
            yield engine.info(), None
        except MachineError as error:
            # Where Docker's socket is, it is installed: who may not use it has to be told.
            if chosen or make is Docker:
                yield None, error
        except BundleError as error:
            yield None, error


def check_engine(wish: Wish) -> Iterator[Finding]:
    """Docker or Podman."""
    if wish.manifest is not None and not wish.manifest.images:
        return
    good, rows = False, _said(wish)
    for info, error in rows:
        if info is None:
            message, hint = (error.message, error.hint) if error else ("", "")
            yield Finding("container engine", "warn", message, "an engine that answers", hint)
            continue
        good = True
        yield from _judged(info)
    if not good:
        yield _none(wish.engine, heard=bool(rows))


def _said(wish: Wish) -> Engines:
    """They are asked once: Podman takes its time."""
    return tuple(engines_here(wish.engine)) if wish.engines is None else wish.engines


def _none(chosen: str | None, *, heard: bool) -> Finding:
    if chosen is None:
        fix = "Install Podman or Docker from the distribution's own media, and start it."
        fix = "Do what stands above for one of them." if heard else fix
        return Finding("container engine", "block", "neither Docker nor Podman answers", "one of them", fix)
    name, other = ("Docker", "podman") if chosen == "docker" else ("Podman", "docker")
    fix = f"Install and start it, or take the other engine: --engine {other}"
    return Finding("container engine", "block", f"{name} does not answer", f"{name}, which was chosen", fix)


def _judged(info: EngineInfo) -> Iterator[Finding]:
    found = f"{info.kind} {info.version}, {info.storage_driver}, {'rootless' if info.rootless else 'as root'}"
    if info.storage_driver in _SLOW:
        fix = "vfs copies every layer whole; overlay2 (Docker) and overlay (Podman) share them."
        yield Finding("container engine", "warn", f"{found}, images in {info.root}", "overlay", fix)
    else:
        yield Finding("container engine", "ok", f"{found}, images in {info.root}")


def image_store(wish: Wish) -> Path:
    """Where the engine, or the first one that answers, keeps its images; Docker's usual place where none does."""
    roots = (info.root for info, _ in _said(wish) if info and info.root)
    return Path(next(roots, "/var/lib/docker"))
