"""``llm-bundle connectors render``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import cast

import click

from bundler.cli.connector_source import load, wanted_options
from bundler.cli.output import clean, emit, json_option
from bundler.disk import guarded, write_whole
from bundler.errors import MachineError, UsageError
from preconfigured import render_all
from preconfigured.folder import FORMS, Folder, Form, folder
from preconfigured.secret_sources import MODES, SecretsMode
from preconfigured.secret_values import secret_values


@click.command()
@wanted_options
@click.option("--form", type=click.Choice(FORMS), default="snippet", show_default=True)
@click.option("--secrets", type=click.Choice(MODES), default="keystore", show_default=True)
@click.option("--name", default="kibana", show_default=True, help="The Kibana resource's name, for --form eck.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write a folder with all that belongs to it.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@json_option
def command(
    source: Path | None,
    stack: str | None,
    form: str,
    secrets: str,
    name: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write the connectors of FILE (connectors.yml or bundle.yml) for kibana.yml, without secrets in it.

    Without --output the snippet is printed. With --secrets inline the values come from LLM_BUNDLE_<ID>_<SECRET>, from
    the file named by LLM_BUNDLE_<ID>_<SECRET>_FILE, or are asked for.
    """
    if secrets == "inline" and output is None:
        raise UsageError("--secrets inline prints nothing", hint="Give --output FOLDER: its kibana.yml has mode 0600.")
    found = load(source, stack)
    values = None
    if secrets == "inline":
        values = secret_values(
            render_all(found.connectors, found.stack), os.environ, _ask if sys.stdin.isatty() else None
        )
    made = folder(
        found.connectors,
        found.settings,
        stack=found.stack,
        form=cast(Form, form),
        secrets=cast(SecretsMode, secrets),
        values=values,
        name=name,
    )
    written = _write(output, made, force=force) if output else []
    for note in made.notes:
        click.echo(clean(f"note: {note}"), err=True)
    document = {
        "stack": str(found.stack),
        "connectors": [connector.id for connector in found.connectors],
        "files": [str(path) for path in written] if output else [file.name for file in made.files],
        "holds_secrets": made.holds_secrets,
        "notes": [{"place": note.place, "text": note.text} for note in made.notes],
    }
    if not output:
        document["text"] = made.files[0].text
    lines = [f"wrote {path}" for path in written] if output else made.files[0].text.splitlines()
    emit(document, as_json=as_json, text=lines)
    if made.holds_secrets:
        click.echo("warning: kibana.yml holds secrets in clear: keep its mode 0600, and copy it to nowhere.", err=True)


def _ask(question: str) -> str:
    return str(click.prompt(question, hide_input=True, default="", show_default=False, err=True))


def _write(output: Path, made: Folder, *, force: bool) -> list[Path]:
    paths = [output / file.name for file in made.files]
    there = next((path for path in paths if os.path.lexists(path)), None)
    if there and not force:
        raise MachineError(f"{there}: is there already", hint="--force replaces it; --output names another folder.")
    with guarded(output, "make the folder"):
        output.mkdir(parents=True, exist_ok=True)
    for path, file in zip(paths, made.files, strict=True):
        write_whole(path, file.text.encode(), file.mode)
    return paths
