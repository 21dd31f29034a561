"""``llm-bundle init``."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from bundler.cli.output import emit, json_option
from bundler.disk import is_folder, is_there, write_whole
from bundler.errors import MachineError
from bundler.spec.families import families
from bundler.spec.model import Engine
from bundler.spec.template import init_text


@click.command()
@click.argument("family", required=False)
@click.option(
    "--engine",
    type=click.Choice(["vllm", "lmstudio"]),
    default="vllm",
    show_default=True,
    help="What serves the model.",
)
@click.option("--name", help="The bundle's name; the model's by default.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default="bundle.yml",
    show_default=True,
    help="Where to write it.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
def command(family: str | None, engine: str, name: str | None, output: Path, force: bool, as_json: bool) -> None:
    """Write a commented bundle.yml for a model FAMILY; without FAMILY, list those that are known."""
    if family is None:
        rows = {one.name: one.title for one in families()}
        lines = [f"  {key:<14} {title}" for key, title in rows.items()]
        emit({"families": rows}, as_json=as_json, text=[*lines, "choose one, as in: llm-bundle init mistral"])
        return
    text = init_text(family, engine=cast(Engine, engine), name=name)
    if is_folder(output):
        raise MachineError(f"{output}: is a folder", hint="Name a file: --output FOLDER/bundle.yml")
    if is_there(output) and not force:
        raise MachineError(f"{output}: is there already", hint="--force replaces it; --output names another file.")
    write_whole(output, text.encode())
    emit(
        {"path": str(output), "family": family},
        as_json=as_json,
        text=[f"wrote {output}", f"next: look through it, then run: llm-bundle lock {output}"],
    )
