"""``llm-bundle token list``."""

from __future__ import annotations

import click

from bundler.cli.output import emit, json_option, table
from bundler.cli.token_options import row, say_stale, site_options, when
from bundler.site.install.tokens import proxy_reload
from bundler.site.place import Place
from bundler.site.tokens.change import current
from bundler.site.tokens.reload import CommandReload
from bundler.site.tokens.store import TokenStore


@click.command(name="list")
@site_options
@json_option
def command(place: Place, reload: CommandReload | None, as_json: bool) -> None:
    """List the tokens, never the tokens themselves. Those that ended are dropped from the files."""
    change = current(TokenStore(place.root), reload=reload or proxy_reload(place))
    rows = [
        (token.id, token.shown, when(token.created), when(token.expires) if token.expires else "until revoked")
        for token in change.tokens
    ]
    text = table([("id", "label", "made", "ends"), *rows]) if rows else ["no tokens: llm-bundle token new --label NAME"]
    emit({"tokens": [row(token) for token in change.tokens]}, as_json=as_json, text=text)
    say_stale(change)
