"""``llm-bundle prune``."""

from __future__ import annotations

import click

from bundler.cli.meter import meter
from bundler.cli.output import emit, json_option, quiet_option
from bundler.cli.site_options import root_option
from bundler.site.install.back import prune
from bundler.site.place import Place


@click.command()
@root_option
@click.option("--keep", type=click.IntRange(1), default=2, show_default=True, metavar="N",
              help="How many releases stay, the one that serves among them.")  # fmt: skip
@quiet_option
@json_option
def command(place: Place, keep: int, quiet: bool, as_json: bool) -> int:
    """Remove old releases with their images. The one that serves stays, and the one before it unless --keep 1."""
    removed = prune(place, keep, meter(quiet))
    text = [f"removed {release}" for release in removed.releases] or ["nothing to remove"]
    text += [f"WARN  {warning}" for warning in removed.warnings]
    emit({"removed": list(removed.releases), "warnings": list(removed.warnings)}, as_json=as_json, text=text)
    return 0
