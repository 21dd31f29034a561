"""How a change of a kibana.yml reads: diff on stdout, talk on stderr."""

from __future__ import annotations

import click

from bundler.cli.output import FOUND, clean, emit
from preconfigured.merge import FileEdit


def report(edit: FileEdit, *, check: bool, as_json: bool) -> int:
    """Print a change; the exit code, 8 if ``check`` found one that would be made."""
    for note in edit.notes:
        click.echo(clean(f"note: {note}"), err=True)
    document = {
        "path": str(edit.path),
        "changed": edit.changed,
        "written": edit.backup is not None,
        "backup": str(edit.backup) if edit.backup else None,
        "diff": edit.diff,
        "notes": [{"place": note.place, "text": note.text} for note in edit.notes],
    }
    emit(document, as_json=as_json, text=edit.diff.splitlines())
    click.echo(clean(_said(edit)), err=True)
    return FOUND if check and edit.changed else 0


def _said(edit: FileEdit) -> str:
    if not edit.changed:
        return f"{edit.path}: nothing to change"
    if edit.backup is None:
        return f"{edit.path}: would be changed; nothing was written"
    return f"changed {edit.path}; as it was: {edit.backup}. Next: restart Kibana, on every host."
