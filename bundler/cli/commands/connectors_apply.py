"""``llm-bundle connectors apply``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import cast

import click

from bundler.cli.connector_source import load, wanted_options
from bundler.cli.edit_wording import report
from bundler.cli.output import json_option
from preconfigured.merge import Edited, apply, edit_file
from preconfigured.secret_sources import SecretsMode


@click.command()
@wanted_options
@click.option("--kibana-yml", required=True, metavar="PATH", type=click.Path(path_type=Path))
@click.option("--secrets", type=click.Choice(["keystore", "env"]), default="keystore", show_default=True)
@click.option("--check", is_flag=True, help="Write nothing; exit code 8 if something would change.")
@click.option("--replace", is_flag=True, help="Take the place of connectors and values that somebody else wrote.")
@click.option("--force", is_flag=True, help="Overwrite what was changed by hand between our markers.")
@json_option
def command(
    source: Path | None,
    stack: str | None,
    kibana_yml: Path,
    secrets: str,
    check: bool,
    replace: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Put the connectors of FILE (connectors.yml or bundle.yml) into a kibana.yml, or bring them up to date in it.

    Everything else in it stays byte for byte. The diff is shown, a backup stays beside it; a second time changes
    nothing.
    """
    found = load(source, stack)

    def change(text: str, where: str) -> Edited:
        put = partial(apply, text, found.connectors, found.settings, found.stack)
        return put(secrets=cast(SecretsMode, secrets), replace=replace, force=force, where=where)

    return report(edit_file(kibana_yml, change, write=not check), check=check, as_json=as_json)
