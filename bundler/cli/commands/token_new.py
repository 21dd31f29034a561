"""``llm-bundle token new``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.output import json_option
from bundler.cli.token_options import lifetime, output_option, print_made, site_options
from bundler.site.install.tokens import token_deed
from bundler.site.place import Place
from bundler.site.tokens.change import new
from bundler.site.tokens.handover import handed_over
from bundler.site.tokens.reload import CommandReload
from bundler.site.tokens.store import TokenStore


@click.command()
@click.option("--label", required=True, help="Who will use it: a-z, 0-9 and -. The access log shows it.")
@click.option(
    "--expires",
    metavar="TIME",
    callback=lifetime,
    help="How long it lives: 30m, 24h, 90d. Without it, until it is revoked.",
)
@site_options
@output_option
@json_option
def command(
    label: str,
    expires: int | None,
    place: Place,
    reload: CommandReload | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Make a token for a client of the proxy. It is printed once, on stdout alone."""
    with token_deed(place, "token-new", label, reload) as reload_proxy, handed_over(output) as secret:
        change = new(TokenStore(place.root), label, secret=secret, lifetime=expires, reload=reload_proxy)
    print_made(change, output, as_json=as_json)
