"""``<root>/current``: the link to the release that serves, for people and for units that name a path."""

from __future__ import annotations

from pathlib import Path

from bundler.disk import guarded, is_folder, is_there, sync_folder
from bundler.errors import MachineError
from bundler.site.place import Place
from bundler.site.releases.names import is_release, require_release


def switch_link(place: Place, release: str) -> None:
    """Let ``current`` lead to that release, from one moment to the next. Raises: MachineError."""
    require_release(release)
    if not is_folder(place.release(release)):
        raise MachineError(f"{place.release(release)}: is not there", hint="Install its bundle again.")
    beside = place.root / ".current.new"
    with guarded(place.current, "replace"):
        beside.unlink(missing_ok=True)
        beside.symlink_to(Path(place.releases.name) / release)
        beside.replace(place.current)
    sync_folder(place.root)


def remove_link(place: Place) -> None:
    """Let nothing be current; fine when nothing is. Raises: MachineError when ``current`` is not a link."""
    with guarded(place.current, "remove"):
        (place.root / ".current.new").unlink(missing_ok=True)
        if not place.current.is_symlink() and is_there(place.current):
            raise MachineError(f"{place.current}: expected a link, found something else", hint="Move it away.")
        place.current.unlink(missing_ok=True)


def linked(place: Place) -> str | None:
    """The id of the release that ``current`` leads to, None where it leads to none. Raises: MachineError."""
    with guarded(place.current, "read"):
        target = place.current.readlink() if place.current.is_symlink() else Path()
    return target.name if target.parent.name == place.releases.name and is_release(target.name) else None
