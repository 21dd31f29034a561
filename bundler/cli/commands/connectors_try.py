"""``llm-bundle connectors try``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from bundler.cli.kibana_options import ask_secret, kibana_options, open_kibana
from bundler.cli.output import FOUND, clean, emit, json_option, quiet_option
from preconfigured.errors import UsageError
from preconfigured.live.finding import Finding, Trial
from preconfigured.secret_sources import variable


@click.command()
@click.argument("connector", metavar="ID")
@kibana_options(required=False)
@click.option("--space", metavar="ID", default="default", show_default=True, help="The space to try it in.")
@click.option("--direct", metavar="URL", help="Try the model without Kibana, at its proxy: https://llm.example/v1.")
@click.option("--model", metavar="NAME", default="", help="The model's name; else the one that the connector shows.")
@click.option("--token-file", type=click.Path(path_type=Path), help="File with the model's token, for --direct.")
@quiet_option
@json_option
def command(
    connector: str,
    url: str | None,
    api_key_file: Path | None,
    user: str | None,
    ca: Path | None,
    timeout: float,
    space: str,
    direct: str | None,
    model: str,
    token_file: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Try a connector through Kibana, and with --direct its model straight through the proxy.

    Exit code 8: something is to be mended. The model's token for --direct is LLM_BUNDLE_<ID>_API_KEY, --token-file, or
    asked for.
    """
    if not url and not direct:
        raise UsageError("expected --kibana, --direct or both, found neither", hint="Say where to try the connector.")
    trials: dict[str, Trial] = {}
    if url:
        from preconfigured.live.trial import config_of, describe, try_connector

        kibana = open_kibana(url, api_key_file, user, ca, timeout)
        talk = _talk("kibana", quiet)
        trials["kibana"] = try_connector(kibana, connector, space=space, model=model, timeout=timeout, progress=talk)
        if direct and not model and trials["kibana"].findings[0].state == "ok":
            model = str(config_of(describe(kibana, connector, space)).get("defaultModel") or "")
    if direct:
        from preconfigured.live.direct import try_model

        token = _token(connector, token_file)
        talk = _talk("direct", quiet)
        trials["direct"] = try_model(direct, model, token, ca=ca, timeout=timeout, progress=talk)
    ok = all(trial.ok for trial in trials.values())
    document = {"ok": ok, "connector": connector, **{way: _json(trial) for way, trial in trials.items()}}
    emit(document, as_json=as_json, text=[line for way, trial in trials.items() for line in _text(way, trial)])
    return 0 if ok else FOUND


def _token(connector: str, token_file: Path | None) -> str:
    from preconfigured.live.login import secret_of

    if token_file:
        return secret_of(token_file, "--token-file")
    name = variable(connector, "apiKey")
    return os.environ.get(name) or ask_secret(f"Token of {connector}", f"Set {name}, or give --token-file.")


def _talk(way: str, quiet: bool) -> Callable[[str], None]:
    def say(check: str) -> None:
        if not quiet and sys.stderr.isatty():
            print(f"{way}: {clean(check)} …", file=sys.stderr)

    return say


def _json(trial: Trial) -> dict[str, object]:
    findings = [asdict(finding) for finding in trial.findings]
    return {"ok": trial.ok, "first_token_seconds": trial.first_token_seconds, "findings": findings}


def _text(way: str, trial: Trial) -> list[str]:
    head = "through Kibana" if way == "kibana" else "straight at the model"
    return [f"{head}:", *(line for finding in trial.findings for line in _line(finding))]


def _line(finding: Finding) -> list[str]:
    mend = f" [{finding.place}]" if finding.place else ""
    lines = [f"  {finding.state:<5}  {finding.check}{mend}: {finding.found}"]
    return [*lines, f"         fix: {finding.fix}"] if finding.fix else lines
