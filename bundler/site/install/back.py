"""Going back, and taking away: ``rollback``, ``prune``, ``uninstall``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_there
from bundler.errors import IntegrityError, MachineError, UsageError
from bundler.progress import Progress
from bundler.site.install.deed import Site, deed
from bundler.site.install.go import go
from bundler.site.install.talk import Talk
from bundler.site.parts.interface import Parts
from bundler.site.place import Place
from bundler.site.releases.link import remove_link
from bundler.site.releases.oddities import strays
from bundler.site.releases.order import releases_to_prune
from bundler.site.releases.remove import remove_leftovers, remove_release_folder
from bundler.site.state import Release, State

_MADE_BY_US: Final = ("secrets", "logs", "work", "state.json", "audit.log", ".lock", "tls")


@dataclass(frozen=True, slots=True)
class Removed:
    """``left`` is what lies below the root and is not ours; ``warnings`` what could not be taken away."""

    releases: tuple[str, ...]
    left: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()


def rollback(place: Place, progress: Progress) -> Release:
    """Serve the release before again, and say which that is. Raises: UsageError when there is none; as ``install``."""
    progress = Talk(progress)
    with deed(place, "rollback", progress) as site:
        target = site.state.release(site.state.previous)
        if target is None:
            raise UsageError("there is no release to go back to", hint="`llm-bundle status` lists what is installed.")
        site.details.update(release=target.id, release_before=site.state.current)
        go(site, target, site.state.settings, progress)
        return target


def prune(place: Place, keep: int, progress: Progress) -> Removed:
    """Remove all but ``keep`` releases; the one that serves always stays.

    Raises: UsageError; EngineError when the engine cannot be asked, or keeps what is to go: the rest stays then.
    """
    progress = Talk(progress)
    with deed(place, "prune", progress) as site:
        gone = releases_to_prune(site.state, keep)
        warnings = [warning for release in gone for warning in _forget(site, release)]
        for stray in strays(place, site.state):
            remove_release_folder(place, stray)
        remove_leftovers(place)
        site.details.update(removed=", ".join(release.id for release in gone) or "nothing")
        return Removed(tuple(release.id for release in gone), warnings=tuple(warnings))


def _forget(site: Site, release: Release) -> list[str]:
    """Its containers and images, then its files, then its line in the state: in this order it can be done again."""
    parts, warning = _readable(site, release, site.state)
    for part in reversed(parts.all) if parts else ():
        part.remove()
        part.drop_images()
    remove_release_folder(site.place, release.id)
    _remove_tree(site.place.work(release.id))
    site.write(site.state.without_release(release.id))
    return [warning] if warning else []


def uninstall(place: Place, progress: Progress) -> Removed:
    """Stop what serves, and remove all that we made: containers, networks, images, files. Nothing else is touched.

    Raises: EngineError when the engine cannot be asked: nothing is removed then; MachineError.
    """
    progress = Talk(progress)
    with deed(place, "uninstall", progress, settles=False) as site:
        releases = site.state.releases
        for release in releases:
            # All of them go: none needs an image for the sake of another.
            parts, warning = _readable(site, release, replace(site.state, releases=(release,)))
            if warning:
                progress.say(f"warning: {warning}")
            for part in reversed(parts.all) if parts else ():
                part.remove()
                part.drop_images()
        remove_link(place)
        remove_leftovers(place)
        for stray in strays(place, site.state):
            remove_release_folder(place, stray)
        for release in releases:
            remove_release_folder(place, release.id)
            site.write(site.state.without_release(release.id))
    # The lock and the audit log go last, when nothing is left that they could speak of.
    for name in _MADE_BY_US:
        _remove_tree(place.root / name)
    for folder in (place.releases, place.root):
        with guarded(folder, "remove"):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    return Removed(tuple(release.id for release in releases), _left(place))


def _readable(site: Site, release: Release, state: State) -> tuple[Parts | None, str]:
    """Its parts; none, and a warning, where its folder no longer tells them."""
    try:
        return site.parts(release, state), ""
    except (IntegrityError, MachineError) as error:
        return None, f"{release.id}: what it ran cannot be found, for its folder is damaged: {error.message}"


def _left(place: Place) -> tuple[Path, ...]:
    with guarded(place.root, "read"):
        return tuple(sorted(place.root.rglob("*"))[:1000]) if is_there(place.root) else ()


def _remove_tree(path: Path) -> None:
    with guarded(path, "remove"):
        if path.is_symlink() or (is_there(path) and not path.is_dir()):
            path.unlink()
        elif is_there(path):
            shutil.rmtree(path)
