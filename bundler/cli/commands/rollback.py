"""``llm-bundle rollback``."""

from __future__ import annotations

import click

from bundler.cli.meter import meter
from bundler.cli.output import emit, json_option, quiet_option
from bundler.cli.site_options import root_option
from bundler.site.install.back import rollback
from bundler.site.place import Place


@click.command()
@root_option
@quiet_option
@json_option
def command(place: Place, quiet: bool, as_json: bool) -> int:
    """Serve the release before again. It must answer a chat completion, else what serves now goes on.

    Calling it twice leads back to where it began.
    """
    release = rollback(place, meter(quiet))
    emit({"release": release.id}, as_json=as_json, text=[f"serving {release.id}"])
    return 0
