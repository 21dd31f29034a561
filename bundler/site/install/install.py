"""From a bundle to a service that answers: everything is looked at, unpacked and prepared before anything stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bundler.disk import is_there
from bundler.errors import MachineError, UsageError
from bundler.progress import Progress
from bundler.site.doctor.examine import examine
from bundler.site.doctor.gather import Choices as Wishes
from bundler.site.doctor.gather import wish_of
from bundler.site.doctor.interface import Finding, Wish
from bundler.site.install.choices import Choices, merged
from bundler.site.install.deed import Site, deed
from bundler.site.install.go import CHECK_LABEL, go
from bundler.site.medium import Medium, find
from bundler.site.opening import open_bundle
from bundler.site.parts.interface import Parts
from bundler.site.parts.keys import take_engine_key
from bundler.site.place import Place
from bundler.site.releases.add import add_release, release_of
from bundler.site.releases.order import is_downgrade
from bundler.site.report import Report
from bundler.site.state import Release, Settings, State
from bundler.site.tls.place import place_certificate
from bundler.site.tokens import change
from bundler.site.tokens.handover import handed_over
from bundler.site.tokens.store import TokenStore
from bundler.trust.keys import PublicKey
from bundler.trust.signature import SignatureRefused

FIRST_LABEL = "kibana"


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
    with deed(place, "install", progress) as site:
        fresh = not site.state.releases
        wish = _wish(site, bundle, choices)
        containers = wish.manifest is not None and bool(wish.manifest.images)
        settings = merged(None if fresh else site.state.settings, choices, containers=containers)
        site.details.update(engine=settings.engine)
        if choices.engine_key:
            take_engine_key(place, choices.engine_key, serving=site.state.current is not None)
        if _without_tokens(place):
            _token_file(place, choices)
        findings = _findings(site, wish, settings)
        wrong = tuple(f for f in findings if f.state == "block" and f.check not in choices.ignore)
        if wrong:
            site.details.update(blocked=", ".join(finding.check for finding in wrong))
            return Installed(findings, blocked=True)
        with find([bundle]) as medium:
            if not choices.allow_downgrade:
                _require_upgrade(site.state, medium, keys)
            added = add_release(place, medium, progress, keys=keys)
        if added.release is None:
            site.details.update(blocked="the bundle is damaged or not signed as it must be")
            return Installed(findings, report=added.report)
        release, came_from = added.release, site.state.current
        site.details.update(release=release.id, release_before=came_from, manifest=release.manifest)
        site.write(replace(site.state.with_release(release), settings=settings if fresh else site.state.settings))
        parts = _serve(site, release, settings, choices, progress)
        token = _first_token(place, parts, choices)
        return Installed(
            findings,
            report=added.report,
            release=release,
            came_from=came_from,
            url=parts.url,
            model=parts.model,
            token_file=token,
        )


def _wish(site: Site, bundle: Path, choices: Choices) -> Wish:
    """What doctor is to look at: what was given, else the certificate that is here already."""
    pair = (choices.certificate, choices.key)
    if pair == (None, None) and is_there(site.place.tls / "server.crt"):
        pair = (site.place.tls / "server.crt", site.place.tls / "server.key")
    return wish_of(bundle, Wishes(site.place.root, None, *pair))


def _findings(site: Site, wish: Wish, settings: Settings) -> tuple[Finding, ...]:
    """What doctor says; ports that our own proxy has are not asked for."""
    ports = {port for port in (settings.https_port, settings.http_port) if port}
    if site.state.current:
        ports -= {site.state.settings.https_port, site.state.settings.http_port}
    wish = replace(wish, ports=tuple(sorted(ports)), lms=settings.lms, lmstudio_user=settings.lmstudio_user)
    return examine(replace(wish, gpus=0, gpu_bytes=0) if settings.gpus == "none" else wish)


def _require_upgrade(state: State, medium: Medium, keys: Sequence[PublicKey] | None) -> None:
    """Raises: UsageError when the bundle is older than what serves."""
    serving = state.release(state.current)
    try:
        opened = open_bundle(medium, keys)
    except SignatureRefused:
        return  # whoever unpacks it says so
    coming = release_of(opened)
    if serving and is_downgrade(serving, coming):
        raise UsageError(
            f"{coming.name} {coming.version} is older than {serving.version}, which serves now",
            hint="`llm-bundle rollback` goes back to the release before; or say --allow-downgrade.",
        )


def _serve(site: Site, release: Release, settings: Settings, choices: Choices, progress: Progress) -> Parts:
    parts = site.parts(release, replace(site.state, settings=settings))
    if parts.proxy and parts.server_name:
        _certificate(site.place, parts.server_name, choices)
    return go(site, release, settings, progress)


def _certificate(place: Place, server_name: str, choices: Choices) -> None:
    if choices.certificate and choices.key:
        place_certificate(place, choices.certificate, choices.key, server_name)
    elif not is_there(place.tls / "server.crt"):
        raise UsageError(
            f"the proxy of {server_name} needs a certificate",
            hint=f"--tls-cert FILE --tls-key FILE, or make one: llm-bundle tls make-ca --server-name {server_name}",
        )


def _first_token(place: Place, parts: Parts, choices: Choices) -> Path | None:
    """A token for Kibana where there is none for anybody yet, in a file of mode 0600."""
    if parts.proxy is None or not _without_tokens(place):
        return None
    path = _token_file(place, choices)
    with handed_over(path) as secret:
        change.new(TokenStore(place.root), FIRST_LABEL, secret=secret, reload=parts.proxy.reload)
    return path


def _without_tokens(place: Place) -> bool:
    store = TokenStore(place.root)
    with store.locked(create=True):
        return all(token.label == CHECK_LABEL for token in store.read())


def _token_file(place: Place, choices: Choices) -> Path:
    """Where the first token goes. Raises: MachineError when something is there."""
    path = (choices.token_file or place.secrets / f"{FIRST_LABEL}.token").absolute()
    if is_there(path):
        raise MachineError(f"{path}: is there already", hint="Name a new file for the first token: --token-file FILE")
    return path
