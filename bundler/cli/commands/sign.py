"""``llm-bundle sign``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.keys import key_of_file, name_json
from bundler.cli.meter import meter
from bundler.cli.output import emit, json_option, quiet_option
from bundler.cli.passphrase import asker, passphrase_option
from bundler.site.sign import Signed, sign


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--key", "key_path", metavar="FILE", required=True, type=click.Path(path_type=Path), help="Private key.")
@passphrase_option
@click.option("--force", is_flag=True, help="Replace the signature of a bundle that is signed already.")
@quiet_option
@json_option
def command(
    paths: tuple[Path, ...], key_path: Path, password_file: Path | None, force: bool, quiet: bool, as_json: bool
) -> None:
    """Sign a finished bundle in place: a .tar, its volumes, or the folder that it was unpacked to.

    A few kilobytes near the start are written; nothing else changes. Stopped on the way, it goes on when called again.
    """
    progress = meter(quiet)
    signed = sign(paths, key_of_file(key_path, asker(password_file), progress), progress, force=force)
    document = {
        "bundle": str(signed.place),
        "manifest_sha256": signed.manifest.hex,
        "signed_by": name_json(signed.by),
        "written": [str(path) for path in signed.written],
    }
    emit(document, as_json=as_json, text=_text(signed))


def _text(signed: Signed) -> list[str]:
    return [f"signed {signed.place} with {signed.by}", *(f"  wrote {path}" for path in signed.written)]
