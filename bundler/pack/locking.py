"""bundle.yml and bundle.lock together: making the lock, finding the one that belongs, planning from both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bundler.content.kibana import check_connectors
from bundler.content.render import with_rendered
from bundler.disk import is_there
from bundler.errors import LockError, UsageError
from bundler.lock.check import require_match
from bundler.lock.file import read_lock, write_lock
from bundler.lock.model import Lock
from bundler.lock.resolve import keep_time, resolve
from bundler.pack.assemble import assemble
from bundler.pack.origins import SpecOrigins
from bundler.pack.plan import Plan
from bundler.progress import SILENT, Progress
from bundler.sources.kinds import Sources
from bundler.spec.model import Spec
from bundler.spec.request import request_of


@dataclass(frozen=True, slots=True)
class Made:
    """A lock, where it lies, and whether this run changed it."""

    lock: Lock
    path: Path
    changed: bool


def lock_path(spec_path: Path) -> Path:
    """``bundle.lock`` for ``bundle.yml``, beside it. Raises: UsageError when that would be the same file."""
    path = spec_path.with_suffix(".lock")
    if path == spec_path:
        raise UsageError(f"{spec_path}: expected a bundle.yml, found the name of a lock", hint="Call it *.yml.")
    return path


def make_lock(spec: Spec, path: Path, sources: Sources, *, update: bool, progress: Progress = SILENT) -> Made:
    """Make the lock at ``path``; one that is there and matches is kept, unless ``update`` says otherwise.

    Raises: LockError when the one that is there does not match or was edited; what the look-ups raise.
    """
    old = _old(path, update)
    if old and not update:
        return Made(require_match(old, spec, where=str(path)), path, changed=False)
    check_connectors(request_of(spec))
    new = with_rendered(resolve(spec, sources, progress))
    if old:
        new = with_rendered(keep_time(new, old))
    assemble(new, SpecOrigins(new, spec))  # what cannot be built is not locked
    if new == old:
        return Made(new, path, changed=False)
    write_lock(path, new)
    return Made(new, path, changed=True)


def _old(path: Path, update: bool) -> Lock | None:
    """The lock that is there; with ``update`` a broken one counts as none."""
    if not is_there(path):
        return None
    try:
        return read_lock(path)
    except LockError:
        if update:
            return None
        raise


def locked_plan(spec: Spec, path: Path) -> tuple[Lock, Plan]:
    """The lock at ``path`` and the plan that follows from it. Raises: LockError when it does not match ``spec``."""
    lock = require_match(read_lock(path), spec, where=str(path))
    return lock, assemble(lock, SpecOrigins(lock, spec))


def plan_of(spec: Spec, path: Path, sources: Sources, progress: Progress = SILENT) -> tuple[Lock, Plan]:
    """The plan of the lock at ``path`` if that one matches, else of a lock made now and not written.

    Raises: what the look-ups raise.
    """
    try:
        return locked_plan(spec, path)
    except LockError as error:
        progress.say(f"{error.message}: looking everything up instead")
    lock = with_rendered(resolve(spec, sources, progress))
    return lock, assemble(lock, SpecOrigins(lock, spec))
