"""``llm-bundle token rotate``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.output import json_option
from bundler.cli.token_options import output_option, print_made, seconds, site_options
from bundler.site.install.tokens import token_deed
from bundler.site.place import Place
from bundler.site.tokens.change import rotate
from bundler.site.tokens.handover import handed_over
from bundler.site.tokens.reload import CommandReload
from bundler.site.tokens.store import TokenStore


@click.command()
@click.argument("label")
@click.option(
    "--keep", metavar="TIME", callback=seconds, default="24h", show_default=True, help="How long the old one goes on."
)
@site_options
@output_option
@json_option
def command(
    label: str, keep: int, place: Place, reload: CommandReload | None, output: Path | None, as_json: bool
) -> None:
    """Make a new token for LABEL. The old one goes on for a while; the access log calls it LABEL.old.

    The proxy itself shuts the old one out when its time has come; nothing need be run then.
    """
    with token_deed(place, "token-rotate", label, reload) as reload_proxy, handed_over(output) as secret:
        change = rotate(TokenStore(place.root), label, keep=keep, secret=secret, reload=reload_proxy)
    print_made(change, output, as_json=as_json)
