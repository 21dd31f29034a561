"""Kills a deed at each of its moments in turn, and looks what is left: ``python -m … FOLDER SCENARIO``, JSON out.

A moment is a call that opens, makes, renames, links or removes something, or a piece of data that is through.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bundler.errors import BundleError
from bundler.site.folder import verify_folder
from bundler.site.holding import holding
from bundler.site.medium import find
from bundler.site.place import Place
from bundler.site.releases.add import add_release
from bundler.site.releases.link import linked, switch_link
from bundler.site.releases.oddities import oddities
from bundler.site.releases.remove import remove_leftovers, remove_release_folder
from bundler.site.state import State
from bundler.site.store import StateStore
from tests.pack.stage import Heard
from tests.site.releases.stage import NEW, OLD, added, bundle_of, listing

_CALLS = ("mkdir", "rename", "remove", "rmdir", "link", "symlink", "chmod", "utime")
_EVENTS = {"open", *(f"os.{call}" for call in _CALLS)}


class Fate(Heard):
    """Ends this process at the moment of that number."""

    def __init__(self, moments: int) -> None:
        super().__init__()
        self._left = moments
        sys.addaudithook(lambda event, _: self._pass() if event in _EVENTS else None)

    def advance(self, count: int) -> None:
        self._pass()

    def _pass(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Scene:
    """A place with release 1.0 that serves, and what is to be done there."""

    def __init__(self, folder: Path, scenario: str) -> None:
        self.place = Place(folder / "site")
        self.store = StateStore(self.place)
        self.old = added(self.place, bundle_of(folder, OLD))
        self.before = State(releases=(self.old,), current=self.old.id)
        self.store.write(self.before)
        self.scenario = scenario
        self.bundle = folder / "demo-1.0.tar" if scenario == "repair" else bundle_of(folder, NEW, "1.1")

    def reset(self) -> None:
        """As it was before the deed."""
        if self.scenario == "repair":
            (self.place.release(self.old.id) / "models/org/m/gone.json").unlink()
        elif self.scenario == "remove":
            self.install()
        else:
            self._back()

    def deed(self, progress: Heard) -> None:
        """What is killed, and what must end well afterwards."""
        if self.scenario == "remove":
            self._back()
        else:
            self.install(progress)

    def install(self, progress: Heard | None = None) -> None:
        with holding(self.place), find([self.bundle]) as medium:
            release = add_release(self.place, medium, progress or Heard()).release
            assert release
            self.store.write(State(releases=(self.old,), current=self.old.id).with_release(release))
            switch_link(self.place, release.id)

    def _back(self) -> None:
        with holding(self.place):
            remove_leftovers(self.place)
            switch_link(self.place, self.old.id)
            new = [name for name in listing(self.place.releases) if name.startswith("demo-1.1")]
            self.store.write(self.before)
            for name in new:
                remove_release_folder(self.place, name)

    def faults(self) -> Iterator[str]:
        """What is wrong right after the kill: the release that serves must be whole, the state readable."""
        self.store.read()
        name = linked(self.place)
        if name is None:
            yield "current leads nowhere"
        elif self.scenario != "repair" and not verify_folder(self.place.release(name)).ok:
            yield "what serves is damaged"
        for name in listing(self.place.releases):
            if name.startswith("demo") and self.scenario != "repair" and not verify_folder(self.place.release(name)).ok:
                yield f"{name} bears its name and is not whole"

    def left(self) -> Iterator[str]:
        """What is wrong after the deed was done to its end."""
        found = listing(self.place.root)
        if found != [".lock", "current", "releases", "state.json"]:
            yield f"left over: {found}"
        state = self.store.read()
        if listing(self.place.releases) != sorted(release.id for release in state.releases):
            yield f"left over: {listing(self.place.releases)}"
        yield from (o.found for o in oddities(self.place, state) if "serves" not in o.found)
        for release in state.releases:
            if not verify_folder(self.place.release(release.id)).ok:
                yield f"{release.id} is damaged"


def killed_at(moment: int, deed: Callable[[Heard], None]) -> bool:
    """Whether the deed, in a process of its own, came as far as that moment."""
    child = os.fork()
    if child == 0:
        try:
            deed(Fate(moment))
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def main(folder: Path, scenario: str) -> None:
    """All moments in turn."""
    scene = Scene(folder, scenario)
    moment, faults = 0, []
    while True:
        scene.reset()
        moment += 1
        if not killed_at(moment, scene.deed):
            break
        try:
            faults += [f"{moment}: {fault}" for fault in scene.faults()]
            scene.deed(Heard())
            faults += [f"{moment}, afterwards: {fault}" for fault in scene.left()]
        except BundleError as error:
            faults.append(f"{moment}: {error.message}")
    print(json.dumps({"moments": moment, "faults": faults}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
