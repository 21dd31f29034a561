"""``llm-bundle token``: a group whose commands are the modules ``token_<name>`` beside this one."""

from __future__ import annotations

from typing import Final

import click

from bundler.cli.lazy import Lazy

COMMANDS: Final = {
    "new": "Make a token for a client of the proxy.",
    "list": "List the tokens: label, age, end. Never the tokens themselves.",
    "rotate": "Make a new token for a label; the old one goes on for a while.",
    "revoke": "Shut a token out at once.",
}


@click.group(cls=Lazy, table=COMMANDS, module="bundler.cli.commands.token_{}")
def command() -> None:
    """The tokens by which clients are let through the proxy."""
