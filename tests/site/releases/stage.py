"""Bundles and places for the tests of releases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bundler.progress import SILENT, Progress
from bundler.site.holding import holding
from bundler.site.medium import find
from bundler.site.place import Place
from bundler.site.releases.add import Added, add_release
from bundler.site.releases.link import switch_link
from bundler.site.state import Release
from bundler.site.store import StateStore
from bundler.trust.keys import PublicKey
from tests.pack.plans import built_in, ingredients_in, plan_of

WEIGHTS = bytes(range(256)) * 4096
OLD = {"org/m/config.json": b"{}\n", "org/m/model.safetensors": WEIGHTS, "org/m/gone.json": b"[1]"}
NEW = {"org/m/config.json": b'{"a": 1}\n', "org/m/renamed.safetensors": WEIGHTS, "org/m/more.bin": b"\x07" * 300_000}


def bundle_of(folder: Path, files: Mapping[str, bytes], version: str = "1.0", name: str = "demo") -> Path:
    """A bundle of model files."""
    ingredients = ingredients_in(folder / f"sources-{name}-{version}", files)
    return built_in(folder, plan_of(ingredients, name=name, version=version)).bundle


def add(place: Place, bundle: Path, progress: Progress = SILENT, *, keys: tuple[PublicKey, ...] | None = None) -> Added:
    """add_release, as a command calls it."""
    with holding(place, "install"), find([bundle]) as medium:
        return add_release(place, medium, progress, keys=keys)


def added(place: Place, bundle: Path) -> Release:
    """Put the bundle there and let it be current."""
    with holding(place, "install"), find([bundle]) as medium:
        release = add_release(place, medium).release
        assert release
        keep(place, release)
    return release


def keep(place: Place, release: Release) -> None:
    """Record it, and let it be current."""
    store = StateStore(place)
    store.write(store.read().with_release(release))
    switch_link(place, release.id)


def inodes(folder: Path) -> dict[str, int]:
    """Path → inode of every file below ``folder``."""
    return {p.relative_to(folder).as_posix(): p.stat().st_ino for p in folder.rglob("*") if p.is_file()}


def listing(folder: Path) -> list[str]:
    """The names in ``folder``."""
    return sorted(path.name for path in folder.iterdir())
