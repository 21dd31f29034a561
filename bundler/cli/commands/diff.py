"""``llm-bundle diff``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

import click

from bundler.cli.output import FOUND, emit, json_option
from bundler.disk import size_text
from bundler.site.compare import Change, Comparison, compare
from bundler.site.inspect import inspect

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@json_option
def command(old: Path, new: Path, as_json: bool) -> int:
    """Compare two bundles (each a .tar, a volume, a folder or a manifest.json). Exit code 8: they differ."""
    result = compare(inspect([old]).manifest, inspect([new]).manifest)
    document = {
        "same": result.same,
        "fields": {key: {"old": pair[0], "new": pair[1]} for key, pair in result.fields.items()},
        "changes": [asdict(change) for change in result.changes],
        "new_bytes": result.new_bytes,
    }
    emit(document, as_json=as_json, text=_text(result))
    return 0 if result.same else FOUND


def _text(result: Comparison) -> list[str]:
    if result.same:
        return ["the same"]
    lines = [f"  {key}: {_shown(key, old)} -> {_shown(key, new)}" for key, (old, new) in result.fields.items()]
    lines += [f"{_SIGNS[change.change]} {change.path}  {_sizes(change)}" for change in result.changes]
    return [*lines, f"{size_text(result.new_bytes)} of the new bundle are not in the old one"]


def _shown(key: str, value: str | None) -> str:
    """A field's value for people: the time as ``inspect`` has it."""
    if key == "created" and value is not None:
        return datetime.fromtimestamp(int(value), timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    return value or "none"


def _sizes(change: Change) -> str:
    sizes = [size_text(size) for size in (change.old_size, change.new_size) if size is not None]
    return " -> ".join(sizes)
