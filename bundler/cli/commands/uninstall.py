"""``llm-bundle uninstall``."""

from __future__ import annotations

import click

from bundler.cli.meter import meter
from bundler.cli.output import emit, json_option, quiet_option
from bundler.cli.site_options import root_option
from bundler.errors import UsageError
from bundler.site.install.back import uninstall
from bundler.site.place import Place


@click.command()
@root_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@quiet_option
@json_option
def command(place: Place, yes: bool, quiet: bool, as_json: bool) -> int:
    """Stop serving, and remove everything of ours: containers, networks, images, releases, tokens, logs.

    What bears no mark of ours is left as it is, and listed where it lies below the installation's folder.
    """
    if not yes:
        _ask(place)
    removed = uninstall(place, meter(quiet))
    left = [str(path) for path in removed.left]
    text = [f"removed {release}" for release in removed.releases]
    text += [f"left, for it is not ours: {path}" for path in left] or [f"nothing is left in {place.root}"]
    emit({"removed": list(removed.releases), "left": left}, as_json=as_json, text=text)
    return 0


def _ask(place: Place) -> None:
    """Raises: UsageError unless somebody says the word on a terminal."""
    import sys

    if not sys.stdin.isatty():
        raise UsageError("uninstall asks before it removes anything, and nobody is here to answer", hint="Say --yes.")
    said = click.prompt(f"Remove all of {place.root}, tokens and logs too? Type: uninstall", default="", err=True)
    if said.strip() != "uninstall":
        raise UsageError("nothing was removed")
