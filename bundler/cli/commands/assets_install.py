"""``llm-bundle assets install``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.assets_options import assets_options
from bundler.cli.assets_talk import talking
from bundler.cli.assets_wording import (
    change_lines,
    change_rows,
    kept_lines,
    next_lines,
    panel_lines,
    proof_lines,
    sum_line,
)
from bundler.cli.output import FOUND, clean, emit, json_option

if TYPE_CHECKING:
    from kibana_assets.install.installation import Installation


@click.command()
@assets_options("install")
@click.option("--dry-run", is_flag=True, help="Write nothing; exit code 8 if something would change.")
@click.option("--force", is_flag=True, help="Replace what others edited; a copy of it is kept.")
@click.option("--backup", type=click.Path(path_type=Path), default=Path(), help="The folder for copies; else this one.")
@click.option("--no-proof", is_flag=True, help="Afterwards send no sample through the pipelines, ask for no panel.")
@json_option
def command(opened: Installation, dry_run: bool, force: bool, backup: Path, no_proof: bool, as_json: bool) -> int:
    """Put pipelines, templates and lifecycle into an Elasticsearch, dashboards and rules into a Kibana.

    A Kibana with Fleet gets the package, and policies for what the GPU host collects; --no-fleet goes without.
    What is there is brought up to date; a second time changes nothing. What somebody edited is kept. Exit code 8: a
    sample did not come through.
    """
    from kibana_assets.install.plan import changes_something

    changes = opened.plan(force=force)
    notes: list[str] = []
    with talking(changes) as talk:
        copies = () if dry_run else opened.install(changes, copies=backup, say=talk.changed, note=notes.append)
        talk.step("sends a sample of every data stream through its pipeline")
        proofs = () if dry_run or no_proof else opened.prove()
        talk.step("asks for each panel of the dashboards once")
        shown = opened.prove_panels() if proofs and (opened.kibana or opened.fleet) else ()
    document = {
        "changes": change_rows(changes),
        "written": not dry_run,
        "backups": [str(path) for path in copies],
        "notes": notes,
        "proofs": [asdict(proof) for proof in proofs],
        "panels": [asdict(one) for one in shown],
    }
    text = [*change_lines(changes), *(f"copy of what was replaced: {path}" for path in copies)]
    text += [*(f"note: {clean(one)}" for one in notes), *proof_lines(proofs), *panel_lines(shown)]
    text += [*kept_lines(changes), sum_line(changes, done=not dry_run)]
    text += next_lines(opened, changes, proofs, shown, dry=dry_run) if not dry_run or changes_something(changes) else []
    emit(document, as_json=as_json, text=text)
    found = changes_something(changes) if dry_run else not all(proof.ok for proof in proofs)
    return FOUND if found else 0
