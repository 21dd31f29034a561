"""From a bundle to a service that answers: everything is looked at, unpacked and prepared before anything stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bundler.disk import is_there
from bundler.errors import UsageError
from bundler.progress import Progress
from bundler.site.doctor.examine import examine
from bundler.site.doctor.gather import Choices as Wishes
from bundler.site.doctor.gather import wish_of
from bundler.site.doctor.interface import Finding, Wish
from bundler.site.install.choices import Choices, merged
from bundler.site.install.claim import require_unclaimed
from bundler.site.install.clearing import clear_attempts
from bundler.site.install.deed import Site, deed
from bundler.site.install.first_token import first_token_file, write_first_token
from bundler.site.install.go import go
from bundler.site.install.talk import Talk
from bundler.site.medium import Medium, find
from bundler.site.opening import open_bundle
from bundler.site.parts.assemble import engine_of
from bundler.site.parts.interface import Parts
from bundler.site.parts.keys import take_engine_key
from bundler.site.parts.quadlet_keeper import QuadletKeeper
from bundler.site.place import Place
from bundler.site.releases.add import add_release, release_of
from bundler.site.releases.order import is_downgrade
from bundler.site.report import Report, refusal
from bundler.site.state import Release, Settings, State
from bundler.site.tls.place import place_certificate
from bundler.trust.keys import PublicKey
from bundler.trust.signature import SignatureRefused


@dataclass(frozen=True, slots=True)
class Installed:
    """What came of it. ``findings`` are doctor's; where one blocks, or the bundle is damaged, ``release`` is None.

    ``came_from`` is the release that served before; ``token_file`` where the first token lies, if one was made.
    """

    findings: tuple[Finding, ...]
    blocked: bool = False
    report: Report | None = None
    release: Release | None = None
    came_from: str | None = None
    url: str = ""
    model: str = ""
    token_file: Path | None = None


def install(
    place: Place, bundle: Path, choices: Choices, progress: Progress, *, keys: Sequence[PublicKey] | None = None
) -> Installed:
    """Install the bundle, or upgrade to it; on a failure the release before serves.

    Raises: every BundleError; IntegrityError (no bundle), MachineError, EngineError (it does not answer).
    """
    progress = Talk(progress)
    with find([bundle]) as medium, deed(place, "install", progress) as site:
        desk = _Desk(site, bundle, medium, choices, keys, progress)
        nothing = desk.look()
        return nothing or desk.serve()


class _Desk:
    """One installation on its way."""

    def __init__(
        self,
        site: Site,
        bundle: Path,
        medium: Medium,
        choices: Choices,
        keys: Sequence[PublicKey] | None,
        progress: Progress,
    ) -> None:
        self._site, self._medium, self._choices, self._keys, self._progress = site, medium, choices, keys, progress
        # What was chosen for an attempt that never served is no choice: it may be why it failed.
        self._fresh = site.state.current is None
        self._settings = site.state.settings
        self._bundle = bundle
        self._findings: tuple[Finding, ...] = ()
        self._token: Path | None = None

    def look(self) -> Installed | None:
        """Look at everything before anything is changed; what it comes to where nothing may be."""
        site, choices = self._site, self._choices
        refused = _refused(site.state, self._medium, self._keys, choices)
        if refused:
            return self._nothing("the bundle is not signed as it must be", report=refused)
        self._token = first_token_file(site.place, site.state, choices.token_file)
        wish = _wish(site, self._bundle, choices)
        containers = wish.manifest is not None and bool(wish.manifest.images)
        self._settings = merged(None if self._fresh else self._settings, choices, containers=containers)
        site.details.update(engine=self._settings.engine)
        _require_certificate(site.place, wish.server_name, choices)
        self._findings = _findings(site, wish, self._settings)
        wrong = [row.check for row in self._findings if row.state == "block" and row.check not in choices.ignore]
        if wrong:
            return self._nothing(", ".join(wrong), blocked=True)
        if containers and self._settings.keeper == "systemd":
            QuadletKeeper.here(engine_of(self._settings)).require()
        return None

    def serve(self) -> Installed:
        """Unpack it, prepare it, go over to it."""
        site = self._site
        if self._choices.engine_key:
            take_engine_key(site.place, self._choices.engine_key, serving=site.state.current is not None)
        added = add_release(site.place, self._medium, self._progress, keys=self._keys)
        if added.release is None:
            return self._nothing("the bundle is damaged", report=added.report)
        if self._fresh:
            clear_attempts(site, self._settings, self._progress)
        release, came_from = added.release, site.state.current
        site.details.update(release=release.id, release_before=came_from, manifest=release.manifest)
        kept = self._settings if self._fresh else site.state.settings
        known = replace(site.state.with_release(release), settings=kept)
        parts = site.parts(release, replace(known, settings=self._settings))
        require_unclaimed(replace(site.state, settings=self._settings), release, parts)
        site.write(known)
        token = self._front(parts)
        go(site, release, self._settings, self._progress, anew=added.new)
        return Installed(self._findings, False, added.report, release, came_from, parts.url, parts.model, token)

    def _front(self, parts: Parts) -> Path | None:
        """Certificate and first token; where that lies, if one is needed."""
        if parts.proxy is None or parts.server_name is None:
            return None
        place, choices = self._site.place, self._choices
        if choices.certificate and choices.key:
            place_certificate(place, choices.certificate, choices.key, parts.server_name)
        if self._token:
            write_first_token(place, self._token)
        return self._token

    def _nothing(self, reason: str, *, blocked: bool = False, report: Report | None = None) -> Installed:
        self._site.details.update(blocked=reason)
        return Installed(self._findings, blocked=blocked, report=report)


def _wish(site: Site, bundle: Path, choices: Choices) -> Wish:
    """What doctor is to look at: what was given, else the certificate that is here already."""
    pair = (choices.certificate, choices.key)
    if pair == (None, None) and is_there(site.place.tls / "server.crt"):
        pair = (site.place.tls / "server.crt", site.place.tls / "server.key")
    return wish_of(bundle, Wishes(site.place.root, None, *pair))


def _findings(site: Site, wish: Wish, settings: Settings) -> tuple[Finding, ...]:
    """What doctor says; ports that our own proxy has are not asked for."""
    ports = set(settings.ports)
    if site.state.current:
        ports -= set(site.state.settings.ports)
    wish = replace(wish, ports=tuple(sorted(ports)), addresses=settings.addresses, engine=settings.engine)
    wish = replace(wish, lms=settings.lms, lmstudio_user=settings.lmstudio_user)
    return examine(replace(wish, gpus=0, gpu_bytes=0) if settings.gpus == "none" else wish)


def _refused(state: State, medium: Medium, keys: Sequence[PublicKey] | None, choices: Choices) -> Report | None:
    """Why the signature forbids even to look at it. Raises: UsageError when it is older than what serves."""
    try:
        opened = open_bundle(medium, keys)
    except SignatureRefused as error:
        return refusal(error)
    serving, coming = state.release(state.current), release_of(opened)
    if serving and is_downgrade(serving, coming) and not choices.allow_downgrade:
        raise UsageError(
            f"{coming.name} {coming.version} is older than {serving.version}, which serves now",
            hint="`llm-bundle rollback` goes back to the release before; or say --allow-downgrade.",
        )
    return None


def _require_certificate(place: Place, server_name: str | None, choices: Choices) -> None:
    if server_name and not choices.certificate and not is_there(place.tls / "server.crt"):
        raise UsageError(
            f"the proxy of {server_name} needs a certificate",
            hint=f"--tls-cert FILE --tls-key FILE, or make one: llm-bundle tls make-ca --server-name {server_name}",
        )
