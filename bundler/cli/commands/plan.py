"""``llm-bundle plan``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.meter import meter
from bundler.cli.output import emit, json_option, plain_http_option, quiet_option, spec_argument
from bundler.cli.wording import plan_json, plan_lines
from bundler.pack.locking import lock_path, plan_of
from bundler.pack.outlook import outlook
from bundler.sources.kinds import Sources
from bundler.spec.parse import read_spec


@click.command()
@spec_argument
@plain_http_option
@quiet_option
@json_option
def command(spec_path: Path, plain_http: tuple[str, ...], quiet: bool, as_json: bool) -> None:
    """Say what a build would fetch and from where, the disk space on both sides, and the GPU memory needed.

    Nothing is downloaded and nothing is written; without a lock that matches, everything is looked up.
    """
    progress = meter(quiet)
    spec = read_spec(spec_path)
    sources = Sources(spec.registries, spec.base, progress, plain_http=plain_http)
    lock, plan = plan_of(spec, lock_path(spec_path), sources, progress)
    ahead = outlook(lock, plan)
    document = plan_json(lock, plan, ahead, sources.place)
    emit(document, as_json=as_json, text=plan_lines(lock, plan, ahead, sources.place))
