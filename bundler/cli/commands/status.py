"""``llm-bundle status``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone

import click

from bundler.cli.output import FOUND, emit, json_option
from bundler.cli.site_options import at_root, root_option
from bundler.disk import size_text
from bundler.site.install.status import Status, status
from bundler.site.parts.interface import PartState
from bundler.site.place import Place
from bundler.site.state import Release


@click.command()
@root_option
@json_option
def command(place: Place, as_json: bool) -> int:
    """Say what serves, which bytes it is, since when, the certificate's days and the disk. Exit code 8 if not well."""
    found = status(place)
    emit(_json(found), as_json=as_json, text=_text(found, place))
    return 0 if found.well else FOUND


def _json(found: Status) -> dict[str, object]:
    """The stable keys of ``status --json``."""
    return {
        "ok": found.well,
        "current": found.state.current,
        "previous": found.state.previous,
        "since": found.state.since,
        "url": found.url or None,
        "model": found.model or None,
        "parts": [asdict(part) for part in found.parts],
        "releases": [asdict(release) for release in found.state.releases],
        "certificate_days": found.certificate_days,
        "disk": asdict(found.disk),
        "trouble": [asdict(oddity) for oddity in found.trouble],
    }


def _text(found: Status, place: Place) -> list[str]:
    state = found.state
    lines = [f"serving   {state.current or 'nothing'}{f', since {_when(state.since)}' if state.since else ''}"]
    if found.url:
        lines.append(f"          {found.model} at {found.url}")
    lines += [_part(part) for part in found.parts]
    if found.certificate_days is not None:
        lines.append(f"TLS       the certificate has {found.certificate_days} days left")
    lines += _releases(found)
    lines.append(f"disk      {size_text(found.disk.total)} in releases, {size_text(found.disk.free)} free")
    for oddity in found.trouble:
        lines += [
            f"WARN      {oddity.found}",
            *([f"          fix: {at_root(oddity.fix, place)}"] if oddity.fix else []),
        ]
    return lines


def _part(part: PartState) -> str:
    how = {True: "healthy", False: "not healthy", None: "starting"}[part.healthy] if part.running else "does not run"
    image = f", image {part.image[:19]}" if part.image else ""
    return f"{part.name:<9} {how}{f', since {_minute(part.since)}' if part.since else ''}{image}"


def _minute(stamp: str) -> str:
    """An engine's RFC 3339, in UTC, as other times are written here."""
    return f"{stamp[:10]} {stamp[11:16]} UTC" if stamp.endswith("Z") else stamp[:19]


def _releases(found: Status) -> list[str]:
    own = {usage.id: usage.own for usage in found.disk.releases}
    words = {found.state.current: "current", found.state.previous: "previous"}
    return [_release(release, words.get(release.id, ""), own.get(release.id, 0)) for release in found.state.releases]


def _release(release: Release, word: str, own: int) -> str:
    signed = f", signed by {release.signed_by}" if release.signed_by else ""
    return (
        f"release   {release.id}{f' ({word})' if word else ''}, {release.manifest}{signed}, {size_text(own)} of its own"
    )


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
