"""``llm-bundle connectors prompts``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from bundler.cli.kibana_options import kibana_options, open_kibana
from bundler.cli.output import FOUND, emit, json_option
from preconfigured.errors import UsageError

_DONE = {"create": "created", "update": "updated", "keep": "kept"}


@click.command()
@kibana_options()
@click.option(
    "--space", "spaces", metavar="ID", multiple=True, help="The space; default is 'default'. May be repeated."
)
@click.option("--all-spaces", is_flag=True, help="Every space that the login sees.")
@click.option("--check", is_flag=True, help="Write nothing; exit code 8 if something would be written.")
@json_option
def command(
    url: str,
    api_key_file: Path | None,
    user: str | None,
    ca: Path | None,
    timeout: float,
    spaces: tuple[str, ...],
    all_spaces: bool,
    check: bool,
    as_json: bool,
) -> int:
    """Put the system prompt for tool calling into the Security AI Assistant. Done twice, it changes nothing."""
    from preconfigured.live.kibana import DEFAULT_SPACE, check_space
    from preconfigured.live.listing import spaces_of
    from preconfigured.live.prompting import put_prompts
    from preconfigured.prompts import TOOL_CALLING_NAME

    if spaces and all_spaces:
        raise UsageError("--space and --all-spaces exclude each other", hint="Name the spaces, or take them all.")
    kibana = open_kibana(url, api_key_file, user, ca, timeout)
    chosen = [check_space(space) for space in spaces or (DEFAULT_SPACE,)]
    if all_spaces:
        chosen = [space for space, _ in spaces_of(kibana)]
    changes = put_prompts(kibana, list(dict.fromkeys(chosen)), check=check)
    pending = any(change.action != "keep" for change in changes)
    lines = [
        f"space {change.space}: {f'would {change.action}' if check else _DONE[change.action]} {TOOL_CALLING_NAME!r}"
        for change in changes
    ]
    if not check:
        lines.append("next: make it the default of the conversations that use the model (assistant > System prompts)")
    emit({"changes": [asdict(change) for change in changes], "written": not check}, as_json=as_json, text=lines)
    return FOUND if check and pending else 0
