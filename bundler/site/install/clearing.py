"""Containers and networks of releases that no longer serve: taken away, also those of commands that were killed."""

from __future__ import annotations

from dataclasses import replace

from bundler.errors import BundleError
from bundler.progress import Progress
from bundler.site.install.deed import Site
from bundler.site.parts.interface import Parts
from bundler.site.state import Settings, State


def clear_others(site: Site, before: State, progress: Progress) -> None:
    """Leave nothing running but what serves; where another engine served ``before``, nothing at all is left in that."""
    moved = before.settings.engine != site.state.settings.engine
    for release in before.releases:
        if release.id == site.state.current and not moved:
            continue
        # Where the engine has changed no release needs the images that it had in the old one.
        known = replace(before, releases=(release,)) if moved else before
        try:
            parts = site.parts(release, known)
        except BundleError:
            continue  # its folder is damaged: `status` says so
        remove(parts, progress, images=moved)


def clear_attempts(site: Site, settings: Settings, progress: Progress) -> None:
    """Where nothing has served yet: leave nothing of attempts in an engine, or with a keeper, that is not chosen."""
    before = site.state.settings
    if (before.engine, before.keeper) == (settings.engine, settings.keeper):
        return
    for release in site.state.releases:
        try:
            parts = site.parts(release, replace(site.state, releases=(release,)))
        except BundleError:
            continue  # its folder is damaged: `status` says so
        remove(parts, progress, images=True)


def remove(parts: Parts, progress: Progress, *, images: bool = False) -> None:
    """Take the containers away; what cannot be removed now is said, and does not fail what went well."""
    for part in reversed(parts.all):
        try:
            part.remove()
            if images:
                part.drop_images()
        except BundleError as error:
            progress.say(f"warning: removing the {part.name}: {error.message}")
