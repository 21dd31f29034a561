"""What runs, which bytes it is, since when, and what will be a matter soon. Nothing is changed, nothing is locked."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from bundler.disk import is_folder, is_there
from bundler.errors import BundleError, MachineError
from bundler.site.parts.assemble import assemble
from bundler.site.parts.interface import PartState
from bundler.site.place import Place
from bundler.site.releases.oddities import Oddity, oddities
from bundler.site.releases.usage import Disk, disk_of
from bundler.site.state import State
from bundler.site.store import StateStore
from bundler.site.tls.place import certificate_end

_SOON = 30


@dataclass(frozen=True, slots=True)
class Status:
    """``certificate_days`` is None without a proxy; ``trouble`` are sentences, with what to do."""

    state: State
    parts: tuple[PartState, ...]
    url: str
    model: str
    certificate_days: int | None
    disk: Disk
    trouble: tuple[Oddity, ...]

    @property
    def well(self) -> bool:
        """Whether a release serves and nothing is to be mended."""
        return self.state.current is not None and not self.trouble


def status(place: Place) -> Status:
    """Look at everything. Raises: MachineError when nothing is installed there."""
    if not is_folder(place.root):
        raise MachineError(f"{place.root}: nothing is installed there", hint="Name the installation's folder: --root")
    state = StateStore(place).read()
    trouble = list(oddities(place, state))
    if state.moving:
        fix = "Wait for the command that runs, or run it again: it goes back first."
        trouble.append(Oddity(f"on the way from {state.moving.source or 'nothing'} to {state.moving.target}", fix))
    if state.current is None:
        trouble.append(Oddity("no release serves", "Install a bundle: llm-bundle install NAME.tar"))
    parts, url, model = _parts(place, state, trouble)
    days = _days(place, trouble)
    return Status(state, parts, url, model, days, disk_of(place), tuple(trouble))


def _parts(place: Place, state: State, trouble: list[Oddity]) -> tuple[tuple[PartState, ...], str, str]:
    release = state.release(state.current)
    if release is None:
        return (), "", ""
    try:
        parts = assemble(place, state, release)
        states = tuple(part.state() for part in parts.all)
    except BundleError as error:
        trouble.append(Oddity(error.message, error.hint))
        return (), "", ""
    for found in states:
        if not found.running or found.healthy is False:
            how = "does not run" if not found.running else "is not healthy"
            detail = f": {found.detail}" if found.detail else ""
            fix = "Start it again: llm-bundle install with the same bundle; its log says why it fell."
            trouble.append(Oddity(f"the {found.name} {how}{detail}", fix))
    return states, parts.url, parts.model


def _days(place: Place, trouble: list[Oddity]) -> int | None:
    """Days until the certificate ends, less than 0 when it has."""
    path = place.tls / "server.crt"
    if not is_there(path):
        return None
    try:
        end = certificate_end(path)
    except MachineError as error:
        trouble.append(Oddity(error.message, error.hint))
        return None
    days = math.floor((end - time.time()) / 86_400)
    if days < _SOON:
        fix = "Install the same bundle again with a new one: --tls-cert FILE --tls-key FILE"
        trouble.append(Oddity(f"the certificate {'has ended' if days < 0 else f'ends in {days} days'}", fix))
    return days
