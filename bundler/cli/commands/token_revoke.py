"""``llm-bundle token revoke``."""

from __future__ import annotations

import click

from bundler.cli.output import emit, json_option
from bundler.cli.token_options import row, say_stale, site_options
from bundler.site.install.tokens import token_deed
from bundler.site.place import Place
from bundler.site.tokens.change import revoke
from bundler.site.tokens.reload import CommandReload
from bundler.site.tokens.store import TokenStore


@click.command()
@click.argument("name", metavar="LABEL|ID")
@site_options
@json_option
def command(name: str, place: Place, reload: CommandReload | None, as_json: bool) -> None:
    """Shut a token out: one by its id, or all of a label."""
    with token_deed(place, "token-revoke", name, reload) as reload_proxy:
        change = revoke(TokenStore(place.root), name, reload=reload_proxy)
    document = {"removed": [row(token) for token in change.removed], "reloaded": not change.stale}
    emit(document, as_json=as_json, text=[f"revoked {token.shown} ({token.id})" for token in change.removed])
    say_stale(change)
