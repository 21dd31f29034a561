"""``llm-bundle assets status``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bundler.cli.assets_options import assets_options
from bundler.cli.assets_wording import installed_lines, panel_lines
from bundler.cli.output import FOUND, emit, json_option

if TYPE_CHECKING:
    from kibana_assets.install.installation import Installation


@click.command()
@assets_options("status")
@click.option("--panels", is_flag=True, help="Ask also for what each panel of the dashboards shows.")
@json_option
def command(opened: Installation, panels: bool, as_json: bool) -> int:
    """Say what is installed, in which version, and what was edited or is missing. Exit code 8: something is."""
    installed = opened.status()
    rows = [{**asdict(one), "space": one.space or None} for one in installed]
    shown = opened.prove_panels() if panels else ()
    document = {"installed": rows, "panels": [asdict(one) for one in shown]}
    emit(document, as_json=as_json, text=[*installed_lines(installed), *panel_lines(shown, each=True)])
    return 0 if all(one.state == "same" for one in installed) else FOUND
