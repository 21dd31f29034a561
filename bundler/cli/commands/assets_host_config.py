"""``llm-bundle assets host-config``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.output import emit, json_option
from bundler.disk import guarded, is_there, read_bounded, write_whole
from bundler.errors import MachineError
from kibana_assets.errors import UsageError


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder for the files.")
@click.option("--elasticsearch", "urls", metavar="URL", multiple=True, required=True, help="As the host reaches it.")
@click.option("--ca", metavar="PATH", default="", help="The authority's PEM file, as it lies on the host.")
@click.option("--namespace", default="default", show_default=True, help="The namespace of the data streams.")
@click.option("--only", metavar="STREAM", multiple=True, help="This data stream alone. May be given again.")
@click.option("--set", "settings", metavar="STREAM.VAR=VALUE", multiple=True, help="A variable of a data stream.")
@click.option("--force", is_flag=True, help="Replace files that are there and are others.")
@json_option
def command(
    output: Path,
    urls: tuple[str, ...],
    ca: str,
    namespace: str,
    only: tuple[str, ...],
    settings: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Write filebeat.yml, metricbeat.yml and a stand-alone elastic-agent.yml for the GPU host, without a secret."""
    from kibana_assets.connection.address import server
    from kibana_assets.install.host_config import Host, host_configs
    from kibana_assets.package.tree import load

    hosts = tuple(server(url, "--elasticsearch").url for url in urls)
    made = host_configs(load(), Host(hosts, ca, namespace, only, _settings(settings)))
    with guarded(output, "make the folder"):
        output.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        path = output / name
        if is_there(path) and not force and read_bounded(path, 4 << 20) != text.encode():
            raise MachineError(f"{path}: is there already, and is another", hint="--force replaces it.")
    for name, text in made.items():
        write_whole(output / name, text.encode(), 0o600)
    paths = [str(output / name) for name in made]
    emit({"paths": paths}, as_json=as_json, text=[f"wrote {path}" for path in paths])


def _settings(given: tuple[str, ...]) -> dict[str, dict[str, list[str]]]:
    made: dict[str, dict[str, list[str]]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        stream, dot, variable = name.partition(".")
        if not (equals and dot and stream and variable):
            hint = "As in vllm_metrics.hosts=http://localhost:8001"
            raise UsageError(f"--set: expected STREAM.VAR=VALUE, found {name[:60]!r}", hint=hint)
        made.setdefault(stream, {}).setdefault(variable, []).append(value)
    return made
