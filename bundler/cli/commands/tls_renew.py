"""``llm-bundle tls renew``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.output import json_option
from bundler.cli.passphrase import asker, passphrase_option
from bundler.cli.tls_options import home_of, home_options, print_made
from bundler.site.install.tokens import proxy_reload
from bundler.site.place import DEFAULT, Place
from bundler.site.tls.home import renew


@click.command()
@home_options
@passphrase_option
@json_option
def command(root: Path | None, out: Path | None, days: int, password_file: Path | None, as_json: bool) -> None:
    """Make a new certificate and key for the proxy, of the CA that `tls make-ca` made. Kibana needs nothing new.

    The proxy of the installation is reloaded; no stream is dropped.
    """
    with home_of(root, out, "tls renew", there=True) as home:
        made = renew(home, days=days, ask=asker(password_file))
    print_made(made, port=None, as_json=as_json)
    reload = None if out else proxy_reload(Place((root or DEFAULT).absolute()))
    if reload:
        reload()
        return
    click.echo("next: reload the proxy, as with nginx -s reload; until then it shows the old one", err=True)
