"""``llm-bundle token revoke``."""

from __future__ import annotations

import click

from bundler.cli.output import emit, json_option
from bundler.cli.token_options import row, say_stale, site_options
from bundler.site.tokens.change import revoke
from bundler.site.tokens.reload import CommandReload
from bundler.site.tokens.store import TokenStore


@click.command()
@click.argument("name", metavar="LABEL|ID")
@site_options
@json_option
def command(name: str, store: TokenStore, reload: CommandReload | None, as_json: bool) -> None:
    """Shut a token out: one by its id, or all of a label."""
    change = revoke(store, name, reload=reload)
    document = {"removed": [row(token) for token in change.removed], "reloaded": not change.stale}
    emit(document, as_json=as_json, text=[f"revoked {token.shown} ({token.id})" for token in change.removed])
    say_stale(change)
