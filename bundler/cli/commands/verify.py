"""``llm-bundle verify``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from bundler.cli.keys import name_json, trusted_option
from bundler.cli.meter import meter
from bundler.cli.output import emit, json_option, quiet_option
from bundler.disk import size_text
from bundler.errors import IntegrityError
from bundler.site.report import Damage, Report
from bundler.site.verify import verify
from bundler.trust.keys import PublicKey
from bundler.trust.signature import SignatureRefused


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@trusted_option
@quiet_option
@json_option
def command(paths: tuple[Path, ...], keys: tuple[PublicKey, ...] | None, quiet: bool, as_json: bool) -> int:
    """Check every byte of a bundle: a .tar, its volumes, or the folder that it was unpacked to.

    FILE may be any one volume, or all of them in any order. Nothing is written, nothing is deleted.
    With --key, a bundle that the key's owner did not sign is refused before anything else of it is read.
    """
    report = verify(paths, meter(quiet), keys=keys)
    emit(report_json(report), as_json=as_json, text=report_text(report))
    return 0 if report.ok else IntegrityError.exit_code


def report_json(report: Report) -> dict[str, object]:
    """The stable keys of ``verify --json``."""
    return {
        "ok": report.ok,
        "bundle": report.manifest.top if report.manifest else None,
        "manifest_sha256": report.manifest_digest.hex if report.manifest_digest else None,
        "members": report.members,
        "bytes": report.bytes,
        "signature": report.signature,
        "signed_by": name_json(report.signed_by),
        "damaged": [asdict(damage) for damage in report.damaged],
    }


def report_text(report: Report) -> list[str]:
    """The report for people."""
    lines = _damage_lines(report.damaged)
    if report.refused:
        return [f"REFUSED {damage.path}: {damage.reason}" for damage in report.damaged] + [SignatureRefused.usual_hint]
    if not report.ok:
        volumes = sorted({damage.volume for damage in report.damaged if damage.volume})
        again = f"{', '.join(volumes)} again; the rest can stay" if volumes else "the bundle again"
        return [*lines, f"Copy {again}. If it stays damaged, the place that it is copied from is."]
    top = report.manifest.top if report.manifest else "the bundle"
    digest = report.manifest_digest.hex if report.manifest_digest else ""
    return [
        f"good: {top}, {report.members} members, {size_text(report.bytes)}",
        f"  manifest sha256:{digest}",
        f"  signature: {f'valid, by {report.signed_by}' if report.signed_by else _UNSIGNED[report.signature]}",
    ]


def _damage_lines(damaged: tuple[Damage, ...]) -> list[str]:
    """A line for each; what has one cause, as the end of a file that was cut, makes one line with some of the names."""
    groups: dict[tuple[str | None, str], list[str]] = {}
    for damage in damaged:
        groups.setdefault((damage.volume, damage.reason), []).append(damage.path)
    return [
        f"DAMAGED {_names(paths)}{f' in {volume}' if volume else ''}: {reason}"
        for (volume, reason), paths in groups.items()
    ]


def _names(paths: list[str]) -> str:
    shown = paths if len(paths) <= _SHOWN else paths[: _SHOWN - 1]
    more = f" and {len(paths) - len(shown)} more (--json names all)" if len(paths) > len(shown) else ""
    return f"{', '.join(shown)}{more}"


_SHOWN = 4
_UNSIGNED = {
    "absent": "none; who made the bundle was not checked",
    "unchecked": "there, but no --key was given: who made the bundle was not checked",
}
