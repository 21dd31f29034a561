"""``llm-bundle assets``: a group whose commands are the modules ``assets_<name>`` beside this one."""

from __future__ import annotations

from typing import Final

import click

from bundler.cli.lazy import Lazy

COMMANDS: Final = {
    "build": "Build the integration package local_llm, as Fleet takes it.",
    "check": "Find what is wrong with dashboards.",
    "plan": "Say what installing would change.",
    "install": "Install all of it, with Fleet where Kibana has Fleet.",
    "status": "Say what is installed, and what was edited since.",
    "uninstall": "Remove what was installed.",
    "host-config": "Write filebeat.yml, metricbeat.yml and elastic-agent.yml for the GPU host.",
    "enrol": "Write an enrolment token, and how the GPU host's agent is installed with it.",
    "role": "Print or make the role and the API key that installing, or shipping logs, needs.",
}


@click.group(cls=Lazy, table=COMMANDS, module="bundler.cli.commands.assets_{}")
def command() -> None:
    """What Kibana and Elasticsearch need to watch the model: parsing, fields, dashboards, alerts."""
