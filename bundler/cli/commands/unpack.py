"""``llm-bundle unpack``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.commands.verify import report_json, report_text
from bundler.cli.keys import trusted_option
from bundler.cli.meter import meter
from bundler.cli.output import emit, json_option, quiet_option
from bundler.errors import IntegrityError
from bundler.site.medium import find
from bundler.site.unpack import unpack
from bundler.trust.keys import PublicKey


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@trusted_option
@quiet_option
@json_option
def command(file: Path, folder: Path, keys: tuple[PublicKey, ...] | None, quiet: bool, as_json: bool) -> int:
    """Unpack FILE (a .tar or one of its volumes) to DIR/NAME-VERSION, verified while it is written.

    A damaged bundle leaves nothing behind. With --key, one that its owner did not sign is refused before a byte is
    written.
    """
    with find([file]) as medium:
        done = unpack(medium, folder, meter(quiet), keys=keys)
    text = report_text(done.report)
    if done.path:
        text.append(f"  unpacked to {done.path}{' (blocks shared with the bundle)' if done.shared else ''}")
    path = str(done.path) if done.path else None
    emit({**report_json(done.report), "path": path, "shared": done.shared}, as_json=as_json, text=text)
    return 0 if done.report.ok else IntegrityError.exit_code
