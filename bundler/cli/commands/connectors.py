"""``llm-bundle connectors``: a group whose commands are the modules ``connectors_<name>`` beside this one."""

from __future__ import annotations

from typing import Final

import click

from bundler.cli.lazy import Lazy

COMMANDS: Final = {
    "render": "Write the connectors as a snippet for kibana.yml, or for Kubernetes.",
    "apply": "Put the connectors into a kibana.yml; everything else in it stays.",
    "remove": "Take a connector out of a kibana.yml again.",
    "check": "Find what is wrong with the connectors in a kibana.yml.",
    "list": "List the connectors in every space of a Kibana.",
    "try": "Try a connector through Kibana, and its model straight through the proxy.",
    "prompts": "Put the system prompt for tool calling into the Security AI Assistant.",
}


@click.group(cls=Lazy, table=COMMANDS, module="bundler.cli.commands.connectors_{}")
def command() -> None:
    """Preconfigured Kibana connectors: for every space, checked before Kibana ever sees them."""
