"""``llm-bundle tls make-ca``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.output import json_option
from bundler.cli.passphrase import asker, passphrase_option
from bundler.cli.tls_options import addresses_said, home_of, home_options, print_made, server_name_said
from bundler.site.tls.home import CA_KEY, make
from bundler.site.tls.names import Names


@click.command()
@click.option("--server-name", required=True, metavar="NAME", callback=server_name_said,
              help="The name that Kibana calls: proxy.server_name.")  # fmt: skip
@click.option("--ip", "addresses", multiple=True, metavar="ADDRESS", callback=addresses_said,
              help="An IP address that is called, too.")  # fmt: skip
@home_options
@click.option(
    "--port", type=click.IntRange(1, 65535), default=443, show_default=True, help="The port that Kibana calls."
)
@click.option("--encrypt", is_flag=True, help="Encrypt the CA's key; also said by --password-file.")
@passphrase_option
@json_option
def command(
    server_name: str,
    addresses: tuple[str, ...],
    root: Path | None,
    out: Path | None,
    days: int,
    port: int,
    encrypt: bool,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Make a private CA and a certificate for the proxy, and say what Kibana needs of it.

    The CA can vouch for these names alone. Nothing that is there is ever replaced.
    """
    names = Names.of(server_name, *addresses)
    ask = asker(password_file, new=True, without="Or leave --encrypt out: the key is then open, mode 0600.")
    passphrase = ask(CA_KEY) if encrypt or password_file else None
    with home_of(root, out, "tls make-ca", there=False) as home:
        made = make(home, names, days=days, passphrase=passphrase)
    print_made(made, port=port, as_json=as_json)
