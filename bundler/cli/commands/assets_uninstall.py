"""``llm-bundle assets uninstall``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.assets_options import assets_options
from bundler.cli.assets_talk import talking
from bundler.cli.assets_wording import change_lines, change_rows, kept_lines, left_lines, left_rows, sum_line
from bundler.cli.output import FOUND, emit, json_option

if TYPE_CHECKING:
    from kibana_assets.install.installation import Installation


@click.command()
@assets_options("uninstall")
@click.option("--data", is_flag=True, help="Delete the collected data, too.")
@click.option("--dry-run", is_flag=True, help="Remove nothing; exit code 8 if something would be removed.")
@click.option("--force", is_flag=True, help="Remove also what others edited; a copy of it is kept.")
@click.option("--backup", type=click.Path(path_type=Path), default=Path(), help="The folder for copies; else this one.")
@json_option
def command(opened: Installation, data: bool, dry_run: bool, force: bool, backup: Path, as_json: bool) -> int:
    """Remove exactly what `assets install` put there; data only with --data."""
    from kibana_assets.install.plan import changes_something

    changes = opened.plan_removal(data=data, force=force)
    with talking(changes) as talk:
        copies, left = ((), ()) if dry_run else opened.uninstall(changes, copies=backup, say=talk.changed)
    document = {
        "changes": change_rows(changes),
        "written": not dry_run,
        "left": left_rows(left),
        "backups": [str(path) for path in copies],
    }
    text = [*change_lines(changes), *left_lines(left, data=data)]
    text += [*(f"copy of what was removed: {path}" for path in copies), *kept_lines(changes)]
    emit(document, as_json=as_json, text=[*text, sum_line(changes, done=not dry_run, left=left)])
    return FOUND if dry_run and changes_something(changes) else 0
