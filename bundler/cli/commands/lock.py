"""``llm-bundle lock``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.meter import meter
from bundler.cli.output import emit, json_option, plain_http_option, quiet_option, spec_argument
from bundler.cli.wording import lock_json, lock_lines
from bundler.pack.locking import lock_path, make_lock
from bundler.sources.kinds import Sources
from bundler.spec.parse import read_spec


@click.command()
@spec_argument
@click.option("--update", is_flag=True, help="Look everything up again, and replace the lock.")
@plain_http_option
@quiet_option
@json_option
def command(spec_path: Path, update: bool, plain_http: tuple[str, ...], quiet: bool, as_json: bool) -> None:
    """Look up every image, model and file of BUNDLE.YML and pin them, byte for byte, in bundle.lock.

    A lock that matches is kept as it is. HF_TOKEN and the logins of docker and podman are used where needed.
    """
    progress = meter(quiet)
    spec = read_spec(spec_path)
    sources = Sources(spec.registries, spec.base, progress, plain_http=plain_http)
    made = make_lock(spec, lock_path(spec_path), sources, update=update, progress=progress)
    emit(lock_json(made), as_json=as_json, text=lock_lines(made, spec_path))
