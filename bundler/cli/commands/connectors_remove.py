"""``llm-bundle connectors remove``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.edit_wording import report
from bundler.cli.output import json_option
from preconfigured.merge import edit_file, remove


@click.command()
@click.argument("connector_id", metavar="ID")
@click.option("--kibana-yml", required=True, metavar="PATH", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit code 8 if something would change.")
@click.option("--force", is_flag=True, help="Also what was changed by hand between our markers.")
@json_option
def command(connector_id: str, kibana_yml: Path, check: bool, force: bool, as_json: bool) -> int:
    """Take a connector that llm-bundle wrote out of a kibana.yml; with the last one, the settings around them too."""
    edit = edit_file(
        kibana_yml, lambda text, where: remove(text, connector_id, force=force, where=where), write=not check
    )
    return report(edit, check=check, as_json=as_json)
