"""``llm-bundle tls``: a group whose commands are the modules ``tls_<name>`` beside this one."""

from __future__ import annotations

from typing import Final

import click

from bundler.cli.lazy import Lazy

COMMANDS: Final = {
    "make-ca": "Make a private CA and a certificate for the proxy.",
    "renew": "Make a new certificate of the same CA.",
}


@click.group(cls=Lazy, table=COMMANDS, module="bundler.cli.commands.tls_{}")
def command() -> None:
    """The proxy's certificate, where the site has no CA of its own."""
