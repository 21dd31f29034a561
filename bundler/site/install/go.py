"""From the release that serves to another that lies on the disk: what ``install`` and ``rollback`` share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from bundler.errors import BundleError, EngineError, IntegrityError, MachineError
from bundler.progress import Progress
from bundler.site.chat import Line, completion
from bundler.site.engines.secrets import read_env_file
from bundler.site.install.clearing import clear_others, remove
from bundler.site.install.deed import Site, settle
from bundler.site.install.first_token import CHECK_LABEL
from bundler.site.install.signals import held_back
from bundler.site.install.switch import LOOK, PROXY_PATIENCE, bring_up, last_words, switch
from bundler.site.parts.interface import Parts
from bundler.site.releases.link import switch_link
from bundler.site.state import Move, Release, Settings, State
from bundler.site.tokens import change
from bundler.site.tokens.store import TokenStore

_LIFETIME: Final = 3600
_PATIENCE: Final = 5.0


def go(site: Site, target: Release, settings: Settings, progress: Progress, *, anew: bool = False) -> Parts:
    """Serve ``target`` with ``settings``, or come back. The old release's folder stays, its containers go.

    ``anew``: its files were replaced, so it has to start again even where it serves already.

    Raises: EngineError, MachineError, IntegrityError; the old release serves then.
    """
    before = site.state
    source = before.release(before.current)
    new = site.parts(target, replace(before, settings=settings))
    if source and source.id == target.id:
        if settings == before.settings and not anew:
            _look_after(site, new, settings, progress)
        else:
            _again(site, _serving(site, source), new, settings, progress)
    else:
        _over(site, _serving(site, source) if source else None, new, target, settings, progress)
    clear_others(site, before, progress)
    return new


def _serving(site: Site, release: Release) -> Parts:
    """What serves now. Raises: IntegrityError, MachineError when its folder no longer says what that is."""
    try:
        return site.parts(release)
    except (IntegrityError, MachineError) as error:
        error.hint = f"Install {release.name}-{release.version}.tar once more first, which serves now: that mends it."
        raise


def _over(site: Site, old: Parts | None, new: Parts, target: Release, settings: Settings, progress: Progress) -> None:
    """From one release to another."""
    before = site.state
    for part in new.all:
        part.prepare(progress)
    accept = _accept(site, target, settings)
    site.write(replace(before, moving=Move(before.current, target.id, settings)))
    try:
        switch(old, new, accept, float(settings.start_period), progress, log=_log(site, target))
    except BaseException:
        with held_back(progress.say):
            _abandon(site, before, old, progress)
            remove(new, progress)
        raise


def _look_after(site: Site, parts: Parts, settings: Settings, progress: Progress) -> None:
    """What serves already is to go on; what of it does not run is started."""
    secret = _check_token(site)
    for part in parts.all:
        part.prepare(progress)
        patience = float(settings.start_period)
        bring_up(part, min(patience, PROXY_PATIENCE) if part is parts.proxy else patience, progress)
    if parts.proxy:
        parts.proxy.reload()
    _check(site, parts, secret)


def _again(site: Site, old: Parts, new: Parts, settings: Settings, progress: Progress) -> None:
    """The same release made anew and tried. The parts have the same names: the old ones must go first."""
    before = site.state
    current = before.release(before.current)
    assert current
    moving = replace(before, moving=Move(current.id, current.id, settings))
    accept = _accept(site, current, settings)
    site.write(moving)
    try:
        remove(old, progress)
        for part in new.all:
            part.prepare(progress)
        switch(None, new, accept, float(settings.start_period), progress, log=_log(site, current))
    except BaseException as error:
        site.state = moving
        settle(site, progress)
        if isinstance(error, BundleError) and site.state.moving is None:
            error.hint = f"The settings before are in force again. {error.hint}".rstrip()
        raise


def _log(site: Site, release: Release) -> Path:
    """Where all is kept that an engine said which did not come up; it goes with the release."""
    return site.place.work(release.id) / "engine.log"


def _abandon(site: Site, before: State, old: Parts | None, progress: Progress) -> None:
    """Say in the state that ``old`` serves, if it does: else the next command tries to go back once more."""
    try:
        if old is None or all(part.state().running for part in old.all):
            site.write(before)
    except BundleError as error:
        progress.say(f"warning: {error.message}")


def _accept(site: Site, target: Release, settings: Settings) -> Callable[[Parts], None]:
    """Ask for a chat completion, and let ``target`` be the one that serves."""
    before, secret = site.state, _check_token(site)
    previous = before.current if before.current != target.id else before.previous
    since = int(time.time()) if before.current != target.id else before.since

    def accept(parts: Parts) -> None:
        _check(site, parts, secret)
        done = replace(before, settings=settings, current=target.id, previous=previous, since=since, moving=None)
        site.write(done)
        switch_link(site.place, target.id)

    return accept


def _check_token(site: Site) -> str:
    """A token for the check alone, which ends by itself."""
    store = TokenStore(site.place.root)
    secret = change.fresh()
    with store.locked(create=True):
        taken = any(token.label == CHECK_LABEL for token in store.read())
    if taken:
        change.revoke(store, CHECK_LABEL)
    change.new(store, CHECK_LABEL, secret=secret, lifetime=_LIFETIME)
    return secret


def _check(site: Site, parts: Parts, secret: str) -> None:
    """A chat completion as a client would ask for it, tried again for some seconds."""
    line = line_to(site, parts, secret)
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            completion(line, parts.model)
            return
        except EngineError as error:
            if time.monotonic() > end:
                words = last_words(parts.engine)
                raise EngineError(f"it does not answer: {error.message}{words}", hint=error.hint or LOOK) from error
        time.sleep(0.5)


def line_to(site: Site, parts: Parts, secret: str | None) -> Line:
    """The way to what ``parts`` serve."""
    address, port = parts.connect
    if parts.proxy is None:
        return Line(address, port, token=_engine_key(site))
    return Line(address, port, parts.server_name, site.place.tls / "server.crt", secret)


def _engine_key(site: Site) -> str | None:
    return dict(read_env_file(site.place.engine_env)).get("VLLM_API_KEY")
