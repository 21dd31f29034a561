"""What every deed at the site begins and ends with: lock, state, an interrupted move settled, an audit line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bundler.disk import is_folder
from bundler.errors import MachineError
from bundler.progress import Progress
from bundler.site.audit import audited
from bundler.site.holding import holding
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
def deed(place: Place, action: str, progress: Progress) -> Iterator[Site]:
    """Hold the installation, settle what was interrupted, and write the audit line at the end.

    Raises: MachineError when another process holds it, or nothing is installed there but ``action`` needs it.
    """
    if action != "install" and not is_folder(place.root):
        raise MachineError(f"{place.root}: nothing is installed there", hint="Name the installation's folder: --root")
    with holding(place, action):
        store = StateStore(place)
        details: dict[str, str | None] = {}
        with audited(place.audit, action, details):
            site = Site(place, store, store.read(), details)
            settle(site, progress)
            yield site


def settle(site: Site, progress: Progress) -> None:
    """Lead an interrupted move back to where it began, so that the release before serves again."""
    move = site.state.moving
    if move:
        _go_back(site, move, progress)
    current = site.state.current
    if current and linked(site.place) != current and is_folder(site.place.release(current)):
        switch_link(site.place, current)


def _go_back(site: Site, move: Move, progress: Progress) -> None:
    target, source = site.state.release(move.target), site.state.release(move.source)
    progress.say(f"the last command was interrupted on the way to {move.target}: going back first")
    if target:
        for part in reversed(site.parts(target).all):
            part.stop()
            part.remove()
    if source:
        for part in site.parts(source).all:
            part.prepare(progress)
            part.start()
    site.write(replace(site.state, moving=None))
