"""What every deed at the site begins and ends with: lock, state, an interrupted move settled, an audit line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bundler.disk import is_folder
from bundler.errors import BundleError, MachineError
from bundler.progress import Progress
from bundler.site.audit import audited
from bundler.site.holding import holding
from bundler.site.install.signals import held_back, led_back
from bundler.site.install.sweep import sweep
from bundler.site.parts.assemble import assemble
from bundler.site.parts.interface import Parts
from bundler.site.place import Place
from bundler.site.releases.link import linked, switch_link
from bundler.site.state import Move, Release, State
from bundler.site.store import StateStore


@dataclass(slots=True)
class Site:
    """An installation while one process holds it. ``details`` go into the audit log."""

    place: Place
    store: StateStore
    state: State
    details: dict[str, str | None]

    def write(self, state: State) -> None:
        """Keep ``state``, on disk first. Raises: MachineError."""
        self.store.write(state)
        self.state = state

    def parts(self, release: Release, state: State | None = None) -> Parts:
        """What serves ``release``. Raises: IntegrityError, MachineError when its folder is not whole."""
        return assemble(self.place, state or self.state, release)


@contextmanager
def deed(place: Place, action: str, progress: Progress, *, settles: bool = True) -> Iterator[Site]:
    """Hold the installation, settle what was interrupted, and write the audit line at the end.

    Raises: MachineError when another process holds it, or nothing is installed there but ``action`` needs it.
    """
    if action != "install" and not is_folder(place.root):
        raise MachineError(f"{place.root}: nothing is installed there", hint="Name the installation's folder: --root")
    details: dict[str, str | None] = {}
    with led_back(), holding(place, action), audited(place, action, details):
        store = StateStore(place)
        site = Site(place, store, store.read(), details)
        if settles:
            sweep(place)
            settle(site, progress)
        yield site


def settle(site: Site, progress: Progress) -> None:
    """Lead an interrupted move back to where it began, so that the release before serves again.

    Where that cannot be, it is said: the deed that follows may be the one that mends it. Raises: MachineError.
    """
    if site.state.moving:
        try:
            with held_back(progress.say):
                _go_back(site, site.state.moving, progress)
        except BundleError as error:
            progress.say(f"warning: the release before does not serve again: {error.message}")
    current = site.state.current
    if current and linked(site.place) != current and is_folder(site.place.release(current)):
        switch_link(site.place, current)


def _go_back(site: Site, move: Move, progress: Progress) -> None:
    target, source = site.state.release(move.target), site.state.release(move.source)
    progress.say(f"the way to {move.target} was not gone to its end: going back first")
    if target:
        parts = site.parts(target, replace(site.state, settings=move.settings or site.state.settings))
        for part in reversed(parts.all):
            part.remove()
    if source:
        for part in site.parts(source).all:
            part.prepare(progress)
            part.start()
    site.write(replace(site.state, moving=None))
