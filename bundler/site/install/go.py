"""From the release that serves to another that lies on the disk: what ``install`` and ``rollback`` share."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from bundler.errors import BundleError, EngineError
from bundler.progress import Progress
from bundler.site.chat import Line, completion
from bundler.site.engines.secrets import read_env_file
from bundler.site.install.deed import Site, settle
from bundler.site.install.switch import bring_up, switch
from bundler.site.parts.interface import Parts
from bundler.site.releases.link import switch_link
from bundler.site.state import Move, Release, Settings
from bundler.site.tokens import change
from bundler.site.tokens.store import TokenStore

CHECK_LABEL: Final = "install-check"
_LIFETIME: Final = 3600
_PATIENCE: Final = 15.0


def go(site: Site, target: Release, settings: Settings, progress: Progress) -> Parts:
    """Serve ``target`` with ``settings``, or come back. The old release's folder stays, its containers go.

    Raises: EngineError, MachineError, IntegrityError; the old release serves then.
    """
    before = site.state
    source = before.release(before.current)
    new = site.parts(target, replace(before, settings=settings))
    old = site.parts(source) if source else None
    if old and source == target:
        return _again(site, old, new, settings, progress)
    for part in new.all:
        part.prepare(progress)
    secret = _check_token(site)
    patience = float(settings.start_period)
    site.write(replace(before, moving=Move(before.current, target.id)))
    try:
        switch(old, new, lambda parts: _check(site, parts, secret), patience, progress)
    except BaseException:
        site.write(before)
        _remove(new, progress)
        raise
    _commit(site, target, settings)
    if old:
        _remove(old, progress)
    return new


def _again(site: Site, old: Parts, new: Parts, settings: Settings, progress: Progress) -> Parts:
    """The release that serves already: looked after where nothing was chosen anew, else made anew and tried."""
    before = site.state
    patience = float(settings.start_period)
    secret = _check_token(site)
    if settings == before.settings:
        for part in new.all:
            part.prepare(progress)
            bring_up(part, patience, progress)
        _check(site, new, secret)
        return new
    # The parts have the same names: the old ones must go first.
    site.write(replace(before, moving=Move(before.current, before.current or "")))
    try:
        _remove(old, progress)
        for part in new.all:
            part.prepare(progress)
        switch(None, new, lambda parts: _check(site, parts, secret), patience, progress)
    except BaseException:
        progress.say("going back to the settings before")
        settle(site, progress)
        raise
    site.write(replace(before, settings=settings, moving=None))
    return new


def _commit(site: Site, target: Release, settings: Settings) -> None:
    before = site.state
    switch_link(site.place, target.id)
    previous = before.current if before.current != target.id else before.previous
    site.write(
        replace(before, settings=settings, current=target.id, previous=previous, since=int(time.time()), moving=None)
    )


def _remove(parts: Parts, progress: Progress) -> None:
    """Take the containers away; what cannot be removed now is said, and does not fail what went well."""
    for part in reversed(parts.all):
        try:
            part.remove()
        except BundleError as error:
            progress.say(f"warning: removing the {part.name}: {error.message}")


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
    """A chat completion as a client would ask for it; for a moment the proxy may still know the old tokens."""
    if parts.proxy:
        parts.proxy.reload()
    line = line_to(site, parts, secret)
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            completion(line, parts.model)
            return
        except EngineError as error:
            if time.monotonic() > end:
                raise EngineError(f"the new release does not answer: {error.message}", hint=error.hint) from error
        time.sleep(0.5)


def line_to(site: Site, parts: Parts, secret: str | None) -> Line:
    """The way to what ``parts`` serve."""
    address, port = parts.connect
    if parts.proxy is None:
        return Line(address, port, token=_engine_key(site))
    return Line(address, port, parts.server_name, site.place.tls / "server.crt", secret)


def _engine_key(site: Site) -> str | None:
    return dict(read_env_file(site.place.engine_env)).get("VLLM_API_KEY")
