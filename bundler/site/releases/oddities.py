"""Where state.json and the disk do not say the same: what a person should know, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bundler.disk import guarded, is_there, read_bounded
from bundler.errors import BundleError
from bundler.layout.manifest import MAX_BYTES, decode
from bundler.layout.member import MANIFEST
from bundler.site.place import Place
from bundler.site.releases.link import linked
from bundler.site.releases.names import is_leftover
from bundler.site.releases.present import folders, is_complete
from bundler.site.state import Release, State


@dataclass(frozen=True, slots=True)
class Oddity:
    """What was found, and what to do, each a sentence."""

    found: str
    fix: str


def oddities(place: Place, state: State) -> tuple[Oddity, ...]:
    """All of them; none in a sound installation that nobody is changing just now. Raises: MachineError."""
    return (*_missing(place, state), *_named(place, state), *_additional(place, state))


def strays(place: Place, state: State) -> tuple[str, ...]:
    """The ids of releases that have a folder and are not in ``state``. Raises: MachineError."""
    return tuple(name for name in folders(place) if state.release(name) is None)


def _missing(place: Place, state: State) -> Iterator[Oddity]:
    there = set(folders(place))
    for release in state.releases:
        if release.id not in there:
            what = "the folder of this release is gone"
        elif not _whole(place, release):
            what = "files of this release are missing, or are not of their size"
        else:
            continue
        yield Oddity(f"{place.release(release.id)}: {what}", f"Install {release.name}-{release.version}.tar again.")


def _whole(place: Place, release: Release) -> bool:
    """By names and sizes: `verify` reads the bytes."""
    folder = place.release(release.id)
    try:
        manifest = decode(read_bounded(folder / MANIFEST, MAX_BYTES), where=str(folder / MANIFEST))
    except BundleError:
        return False
    return is_complete(folder, manifest)


def _named(place: Place, state: State) -> Iterator[Oddity]:
    for word, name in (("current", state.current), ("previous", state.previous)):
        if name is not None and state.release(name) is None:
            yield Oddity(f"{place.state}: the {word} release, {name}, is not among the releases", "Install it again.")
    link = linked(place)
    if link != state.current:
        leads = f"leads to {link or 'no release'}, but {state.current or 'no release'} serves"
        yield Oddity(f"{place.current}: {leads}", "The next install or rollback sets it.")


def _additional(place: Place, state: State) -> Iterator[Oddity]:
    for name in strays(place, state):
        fix = "Install its bundle again, which checks it and copies nothing; or remove it: llm-bundle prune"
        yield Oddity(f"{place.release(name)}: lies there, but was not installed to the end", fix)
    if is_there(place.releases):
        with guarded(place.releases, "read"):
            left = sorted(path for path in place.releases.iterdir() if is_leftover(path.name))
        for path in left:
            yield Oddity(f"{path}: was left by a command that was interrupted", "The next install removes it.")
