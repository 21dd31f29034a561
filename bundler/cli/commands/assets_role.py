"""``llm-bundle assets role``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from bundler.cli.elastic_options import elastic_options
from bundler.cli.output import emit, json_option
from bundler.disk import guarded, is_there
from bundler.errors import MachineError
from kibana_assets.errors import UsageError

if TYPE_CHECKING:
    from kibana_assets.connection.target import Target
    from kibana_assets.install.role import Json, Key, Purpose

_NEXT: Final = {
    "install": "next: llm-bundle assets plan, with --api-key-file",
    "ship": "next: llm-bundle assets host-config writes what reads the key at the GPU host",
}


@click.command()
@click.argument("purpose", type=click.Choice(["install", "ship"]), default="install")
@elastic_options(required=False)
@click.option("--create", is_flag=True, help="Make the role in Elasticsearch, and an API key.")
@click.option("--key-file", type=click.Path(path_type=Path), help="Where the new API key goes; a file of your own.")
@click.option("--ilm", is_flag=True, help="With the right to make a policy of index lifecycle management.")
@click.option(
    "--space", "spaces", multiple=True, metavar="ID", help="With the rights for this space of Kibana, or '*'."
)
@click.option("--fleet", is_flag=True, help="With the rights for Fleet and Integrations, in all spaces.")
@json_option
def command(
    purpose: str,
    target: Target | None,
    create: bool,
    key_file: Path | None,
    ilm: bool,
    spaces: tuple[str, ...],
    fleet: bool,
    as_json: bool,
) -> None:
    """Print the role that installing needs, or with `ship` the one for Filebeat and Elastic Agent; --create makes it.

    Making it needs a login by name that may manage security.
    """
    from kibana_assets.install.role import role, role_name

    if purpose == "ship" and (ilm or spaces or fleet):
        hint = "They are for the role that installs. Shipping needs none of them."
        raise UsageError("--ilm, --space and --fleet: expected install, found ship", hint=hint)
    wanted = role(cast("Purpose", purpose), ilm=ilm, spaces=spaces or None, fleet=fleet)
    name = role_name(cast("Purpose", purpose))
    document: dict[str, object] = {"name": name, "role": wanted}
    text = [f"PUT _security/role/{name}", *json.dumps(wanted, indent=2).splitlines()]
    if create:
        if target is None or key_file is None:
            raise UsageError("--create: expected --elasticsearch and --key-file beside it", hint="The key is secret.")
        made = _create(target, cast("Purpose", purpose), wanted, key_file)
        document |= {"key": {"id": made.id, "name": made.name, "path": str(key_file)}}
        text = [f"made the role {name}", f"made the API key {made.name} ({made.id}): {key_file}"]
        text += [
            "It does not expire. When it is no longer needed, in Kibana's Dev Tools:",
            "    " + f'DELETE _security/api_key {{"ids": ["{made.id}"]}}',
            _NEXT[purpose],
        ]
    emit(document, as_json=as_json, text=text)


def _create(target: Target, purpose: Purpose, wanted: Json, path: Path) -> Key:
    """The file is there before the key is, or a key might be made that nobody has."""
    from kibana_assets.elasticsearch.cluster import Cluster
    from kibana_assets.install.role import create

    if is_there(path):
        raise MachineError(f"--key-file: {path} is there already", hint="Name a new file: a key is shown only once.")
    with guarded(path, "make the file"):
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="ascii") as file:
        cluster = Cluster(target)
        done = False
        try:
            cluster.version()
            made = create(cluster, purpose, wanted)
            with guarded(path, "write"):
                file.write(f"{made.pair}\n")
                file.flush()
            done = True
        finally:
            cluster.close()
            if not done:
                path.unlink(missing_ok=True)
    return made
