"""``llm-bundle assets plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler.cli.assets_options import assets_options
from bundler.cli.assets_wording import change_lines, change_rows, kept_lines, sum_line
from bundler.cli.output import FOUND, emit, json_option

if TYPE_CHECKING:
    from kibana_assets.install.installation import Installation


@click.command()
@assets_options("install")
@click.option("--force", is_flag=True, help="As if what others edited were to be replaced.")
@json_option
def command(opened: Installation, force: bool, as_json: bool) -> int:
    """Say what installing would create, change, remove and leave alone. Exit code 8: something would change."""
    from kibana_assets.install.plan import changes_something

    changes = opened.plan(force=force)
    found = changes_something(changes)
    text = [*change_lines(changes), *kept_lines(changes), sum_line(changes, done=False)]
    text += ["next: llm-bundle assets install, with the same options"] if found else []
    emit({"changes": change_rows(changes)}, as_json=as_json, text=text)
    return FOUND if found else 0
