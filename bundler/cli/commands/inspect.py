"""``llm-bundle inspect``."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import click

from bundler.cli.output import emit, json_option, table
from bundler.disk import size_text
from bundler.layout.manifest import Manifest
from bundler.layout.member import MANIFEST, SUMS
from bundler.site.inspect import inspect


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--members", is_flag=True, help="List every member too.")
@json_option
def command(paths: tuple[Path, ...], members: bool, as_json: bool) -> None:
    """Say what is in a bundle (a .tar, volumes, a folder or a manifest.json). Checks little: `verify` checks all."""
    found = inspect(paths)
    document = {**json.loads(found.manifest.encode()), "manifest_sha256": found.digest.hex, "bytes": found.size}
    emit(document, as_json=as_json, text=_text(found.manifest, found.digest.hex, found.size, members))


def _text(manifest: Manifest, digest: str, size: int | None, members: bool) -> list[str]:
    made = datetime.fromtimestamp(manifest.created, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    rows = [
        ("bundle", manifest.top),
        ("platform", manifest.platform),
        ("stack", manifest.stack or "not said"),
        ("locked", f"{made} by llm-bundle {manifest.tool}"),
        ("size", size_text(size) if size is not None else "not known from here"),
        ("members", f"{len(manifest.members)}, besides {SUMS} and {MANIFEST}"),
        ("manifest", f"sha256:{digest}"),
    ]
    for image in manifest.images:
        rows.append((f"image ({image.role})", f"{image.name}  {size_text(image.size)}"))
        rows.append(("", str(image.digest)))
    for model in manifest.models:
        licence = f", licence {model.license}" if model.license else ""
        rows.append(("model", f"{model.id}  {size_text(model.size)}{licence}"))
        rows += [("", f"commit {model.commit}")] if model.commit else []
    lines = table(rows, indent="")
    if members:
        lines += ["", *table([(m.digest.hex, f"{m.size:>15,}", m.path) for m in manifest.members], indent="")]
    return lines
