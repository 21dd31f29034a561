"""``llm-bundle assets enrol``."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from bundler.cli.assets_options import assets_options
from bundler.cli.output import emit, json_option
from kibana_assets.errors import UsageError

if TYPE_CHECKING:
    from kibana_assets.fleet.enrol import Enrolment
    from kibana_assets.install.installation import Installation

_PATH = click.Path(path_type=Path)


@click.command()
@assets_options("enrol")
@click.option("--enrolment-file", type=_PATH, help="A new file, mode 0600, for the enrolment token.")
@click.option("--agent", type=_PATH, help="The archive of Elastic Agent; else the one of the release in this folder.")
@click.option("--fleet-server", default="", metavar="URL", help="Where Fleet Server listens; else as Fleet has it.")
@click.option("--agent-ca", default="", metavar="PATH", help="The authority's PEM file, as it lies on the GPU host.")
@click.option("--insecure", is_flag=True, help="Let the agent verify no certificate. Anybody between can read along.")
@click.option("--revoke", is_flag=True, help="Make our tokens useless; agents that have enrolled stay.")
@json_option
def command(
    opened: Installation,
    enrolment_file: Path | None,
    agent: Path | None,
    fleet_server: str,
    agent_ca: str,
    insecure: bool,
    revoke: bool,
    as_json: bool,
) -> None:
    """Write an enrolment token for the GPU host, and the commands that install Elastic Agent there.

    The token is a secret: it goes into the file, never to the screen. Carry it to the host, and remove it afterwards.
    """
    from kibana_assets.fleet import enrol

    if opened.fleet is None:
        raise UsageError("enrol: expected an installation with Fleet", hint="First: llm-bundle assets install --kibana")
    fleet, wish = opened.fleet.fleet, opened.fleet.wish
    if revoke:
        gone = enrol.revoke(fleet, wish.policy, wish.home)
        emit({"revoked": gone}, as_json=as_json, text=[f"revoked {gone} of our tokens of {wish.policy}"])
        return
    if enrolment_file is None:
        raise UsageError("enrol: expected --enrolment-file", hint="The token is secret: name a new file for it.")
    archive = _archive(agent, opened)
    found = enrol.enrolment(fleet, wish.policy, wish.home, fleet_server, insecure=insecure)
    enrol.keep_token(enrolment_file, found.token)
    lines = enrol.commands(found, archive, enrolment_file.name, authority=agent_ca, insecure=insecure)
    _tell(found, enrolment_file, lines, as_json=as_json)


def _archive(agent: Path | None, opened: Installation) -> PurePosixPath:
    from kibana_assets.fleet import enrol

    found = agent or next(iter(enrol.archives(Path())), None)
    if found is None:
        hint = "Type this in the folder of a release whose bundle.yml has elastic.agent; or name the archive."
        raise UsageError("enrol: expected --agent", hint=hint)
    enrol.check_version(found.name, opened.cluster.version())
    return PurePosixPath(found)


def _tell(found: Enrolment, enrolment_file: Path, lines: tuple[str, ...], *, as_json: bool) -> None:
    document = {"url": found.url, "key": found.key, "enrolment_file": str(enrolment_file), "commands": list(lines)}
    text = [
        f"wrote {enrolment_file}",
        f"On the GPU host, in the folder of the release, with {enrolment_file.name} beside it:",
        "",
        *(f"    {line}" for line in lines),
        "",
        "The token is then no longer needed: remove the file; llm-bundle assets enrol --revoke ends the token.",
    ]
    emit(document, as_json=as_json, text=text)
