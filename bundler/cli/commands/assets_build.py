"""``llm-bundle assets build``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.output import emit, json_option
from bundler.digest import Digest
from bundler.disk import guarded, is_there, read_bounded, write_whole
from bundler.errors import MachineError
from kibana_assets.package.build import build
from kibana_assets.package.tree import load


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path(), help="The folder; else this one.")
@click.option("--force", is_flag=True, help="Replace a file that is there and is another.")
@json_option
def command(output: Path, force: bool, as_json: bool) -> None:
    """Build the integration package local_llm-VERSION.zip, for "Upload integration" in Kibana.

    The same llm-bundle makes the same bytes on every machine.
    """
    built = build(load())
    data = built.data
    path = output / built.name
    if is_there(path) and not force and read_bounded(path, 100 << 20) != data:
        raise MachineError(f"{path}: is there already, and is another", hint="--force replaces it.")
    with guarded(output, "make the folder"):
        output.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
    document = {"path": str(path), "size": len(data), "digest": str(Digest.of(data)), "files": sorted(built.files)}
    emit(document, as_json=as_json, text=[f"wrote {path}", f"{Digest.of(data)}, {len(data):,} bytes"])
