"""The folder of a rehearsal, and its end: containers, networks, images and files go, whatever happened before.

Rules: an image goes only if the rehearsal brought it; which it brings is written down first. What a killed rehearsal
left is found by the next one, by the folder's name and by the networks of the engine, and goes the same way. What
cannot be removed keeps its folder, so that it is found again.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_there, read_bounded, write_whole
from bundler.errors import BundleError
from bundler.progress import Progress
from bundler.site.engines.interface import Engine
from bundler.site.holding import holding
from bundler.site.place import Place
from bundler.site.rehearse import names
from bundler.site.rehearse.living import lives, living
from bundler.site.state import EngineKind

EngineOf = Callable[[EngineKind], Engine]

_LOADED: Final = "loaded"
_MOST: Final = 64 << 10
_TAG: Final = re.compile(r"localhost/llm-bundle/[A-Za-z0-9._-]{1,255}:[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a rehearsal works: ``place`` is laid out like an installation."""

    place: Place
    digits: str

    def brings(self, tags: list[str]) -> None:
        """Write down the images that the engine does not have yet, before they are loaded. Raises: MachineError."""
        write_whole(self.place.root / _LOADED, "".join(f"{tag}\n" for tag in tags).encode(), 0o600)


@contextmanager
def desk(work: Path, kind: EngineKind, engine_of: EngineOf, progress: Progress) -> Iterator[Desk]:
    """A desk in the folder ``work``; nothing of the rehearsal is left afterwards. Raises: MachineError."""
    digits = names.new_digits()
    made = Desk(Place(work / names.folder_name(kind, digits)), digits)
    with living(digits):
        with guarded(made.place.root, "make"):
            made.place.root.mkdir(mode=0o700)
        try:
            with holding(made.place, "rehearse"):
                yield made
        finally:
            progress.say("taking everything away again …")
            _clear(made.place.root, engine_of(kind), digits, progress)


def clear_leftovers(work: Path, kind: EngineKind, engine_of: EngineOf, progress: Progress) -> None:
    """Remove what killed rehearsals left in ``work`` and in the engine. Raises: MachineError, EngineError."""
    with guarded(work, "read"):
        entries = sorted(work.iterdir())
    for folder in entries:
        found = names.of_folder(folder.name)
        if found and _is_ours(folder) and not lives(found[1]):
            progress.say(f"removing what a rehearsal left that was killed: {folder}")
            with holding(Place(folder), "rehearse"):
                _clear(folder, engine_of(found[0]), found[1], progress)
    engine = engine_of(kind)
    for digits in sorted(set(filter(None, map(names.of_network, engine.networks())))):
        if not lives(digits):
            progress.say(f"removing containers and networks of a rehearsal that was killed: {digits}")
            _sweep(engine, digits, progress)


def _clear(folder: Path, engine: Engine, digits: str, progress: Progress) -> None:
    gone = _sweep(engine, digits, progress)
    for tag in _loaded(folder):
        gone &= _tried(partial(engine.remove_image, tag), f"the image {tag}", progress)
    if gone:
        _tried(partial(_remove, folder), str(folder), progress)


def _sweep(engine: Engine, digits: str, progress: Progress) -> bool:
    """Remove containers, then networks; whether all are gone."""
    gone = all(_tried(partial(engine.remove, name), f"the container {name}", progress) for name in names.single(digits))
    # They are started upwards and removed downwards, so that counting upwards finds all of them, whatever was killed.
    engines = list(takewhile(lambda name: engine.inspect(name) is not None, names.engines(digits)))
    gone &= all(_tried(partial(engine.remove, name), f"the container {name}", progress) for name in reversed(engines))
    for name in names.networks(digits) if gone else ():
        gone &= _tried(partial(engine.remove_network, name), f"the network {name}", progress)
    return gone


def _tried(deed: Callable[[], object], what: str, progress: Progress) -> bool:
    """Whether it could be done."""
    try:
        deed()
    except BundleError as error:
        progress.say(f"warning: {what} is left, the next rehearsal tries again: {error.message}")
        return False
    return True


def _loaded(folder: Path) -> list[str]:
    path = folder / _LOADED
    if not is_there(path):
        return []
    lines = read_bounded(path, _MOST).decode("utf-8", "replace").splitlines()
    return [line for line in lines if _TAG.fullmatch(line)]


def _is_ours(folder: Path) -> bool:
    with guarded(folder, "look at"):
        found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _remove(folder: Path) -> None:
    with guarded(folder, "remove"):
        shutil.rmtree(folder)
