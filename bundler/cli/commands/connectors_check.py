"""``llm-bundle connectors check``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bundler.cli.connector_source import stack_of
from bundler.cli.output import FOUND, emit, json_option
from bundler.errors import MachineError, UsageError
from preconfigured.check import Findings, check, findings_json, lines, sarif

_LARGEST_LIST = 1 << 20


@click.command()
@click.argument("kibana_yml", metavar="KIBANA.YML", type=click.Path(path_type=Path))
@click.option("--stack", required=True, metavar="VERSION", help="The version of Kibana, such as 9.2.0.")
@click.option(
    "--keystore-list",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What kibana-keystore list printed: names, no values.",
)
@click.option(
    "--private-ca", metavar="HOST", multiple=True, help="A host whose certificate is from your own authority."
)
@click.option("--tool-calling", metavar="ID", multiple=True, help="A connector whose server was set up for tool calls.")
@click.option("--on-host", is_flag=True, help="This is the Kibana host: look at the files that kibana.yml names.")
@click.option("--sarif", "sarif_path", metavar="FILE", type=click.Path(path_type=Path), help="Write SARIF for CI.")
@json_option
def command(
    kibana_yml: Path,
    stack: str,
    keystore_list: Path | None,
    private_ca: tuple[str, ...],
    tool_calling: tuple[str, ...],
    on_host: bool,
    sarif_path: Path | None,
    as_json: bool,
) -> int:
    """Find what is wrong with the connectors in a kibana.yml, for one stack version.

    Nothing is changed. Exit code 8 if there are errors; warnings and notes alone do not count.
    """
    found = check(
        kibana_yml,
        stack=stack_of(stack),
        keystore=_names(keystore_list) if keystore_list else None,
        private_hosts=private_ca,
        tool_calling=tool_calling,
        on_host=on_host,
    )
    if sarif_path:
        _write(sarif_path, found)
    emit(findings_json(found), as_json=as_json, text=lines(found))
    return FOUND if found.errors else 0


def _names(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_LIST + 1).decode("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise MachineError(f"{path}: cannot be read: {reason}", hint="Make it: kibana-keystore list > FILE") from error
    if len(text) > _LARGEST_LIST:
        raise UsageError(f"{path}: too large for a list of keys", hint="Give what kibana-keystore list prints.")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _write(path: Path, found: Findings) -> None:
    try:
        path.write_text(json.dumps(sarif(found), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise MachineError(f"{path}: cannot be written: {error.strerror}", hint="Choose another place.") from error
