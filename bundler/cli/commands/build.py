"""``llm-bundle build``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.keys import key_of_file, key_of_spec
from bundler.cli.meter import meter
from bundler.cli.output import emit, json_option, plain_http_option, quiet_option, spec_argument
from bundler.cli.passphrase import asker, passphrase_option
from bundler.cli.wording import build_json, build_lines
from bundler.errors import UsageError
from bundler.layout.volumes import parse_size
from bundler.pack.build import Options, build
from bundler.pack.locking import lock_path, locked_plan
from bundler.pack.plan import signed
from bundler.sources.kinds import Sources
from bundler.spec.parse import read_spec


@click.command()
@spec_argument
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    default=".",
    help="Folder for the bundle; the current one by default.",
)
@click.option("--volume-size", metavar="SIZE", help="Write volumes of this size: 4GiB, 4000MB, 25GB.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Downloads at once.")
@click.option(
    "--key",
    "key_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Sign with this private key, instead of signing.key in bundle.yml.",
)
@passphrase_option
@click.option("--force", is_flag=True, help="Replace a bundle of the same name.")
@plain_http_option
@quiet_option
@json_option
def command(
    spec_path: Path,
    folder: Path,
    volume_size: str | None,
    jobs: int,
    key_path: Path | None,
    password_file: Path | None,
    force: bool,
    plain_http: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    """Build the bundle that bundle.lock determines.

    A build that was stopped, in whatever way, goes on where it was when it is called again.
    """
    progress = meter(quiet)
    spec = read_spec(spec_path)
    _, plan = locked_plan(spec, lock_path(spec_path))
    ask = asker(password_file)
    key = key_of_file(key_path, ask, progress) if key_path else key_of_spec(spec, ask, progress)
    plan = signed(plan, key.sign) if key else plan
    sources = Sources(spec.registries, spec.base, progress, plain_http=plain_http)
    options = Options(folder, volume_size=_size(volume_size), jobs=jobs, force=force)
    built = build(plan, sources, options, progress)
    by = key.public.name if key else None
    emit(build_json(built, by), as_json=as_json, text=build_lines(built, by))


def _size(text: str | None) -> int | None:
    try:
        return parse_size(text) if text is not None else None
    except ValueError as error:
        raise UsageError(f"--volume-size: {error}", hint="For a FAT32 medium: --volume-size 4000MB.") from error
