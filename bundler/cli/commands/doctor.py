"""``llm-bundle doctor``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from bundler.cli.output import FOUND, emit, json_option
from bundler.errors import UsageError
from bundler.site.doctor.examine import blocked, examine
from bundler.site.doctor.gather import Choices, wish_of
from bundler.site.doctor.interface import Finding

_WORDS = {"ok": "ok", "warn": "WARN", "block": "BLOCK"}


@click.command()
@click.argument("bundle", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--root", type=click.Path(path_type=Path), default="/var/lib/llm-bundle", show_default=True,
              help="Where releases are to lie.")  # fmt: skip
@click.option("--tls-cert", type=click.Path(path_type=Path), help="The proxy's certificate, PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="Its key, PEM.")
@click.option("--server-name", metavar="NAME", help="The name that Kibana calls; looked for in the certificate.")
@click.option("--port", "ports", type=click.IntRange(1, 65535), multiple=True, default=(443,), show_default=True,
              help="A port that the proxy is to listen on. May be given again.")  # fmt: skip
@json_option
def command(
    bundle: Path | None,
    root: Path,
    tls_cert: Path | None,
    tls_key: Path | None,
    server_name: str | None,
    ports: tuple[int, ...],
    as_json: bool,
) -> int:
    """Say whether this machine is fit to serve the bundle FILE: space, GPUs, driver, ports, certificate, clock, limits.

    Nothing is changed. Without FILE, what depends on the bundle is left out.
    """
    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key belong together: only one was given", hint="Give both.")
    choices = Choices(root, server_name, tls_cert, tls_key, ports)
    findings = examine(wish_of(bundle, choices))
    emit({"findings": [asdict(finding) for finding in findings]}, as_json=as_json, text=finding_lines(findings))
    return FOUND if blocked(findings) else 0


def finding_lines(findings: tuple[Finding, ...]) -> list[str]:
    """A line for each finding; below it, where it is not well, what is expected and what to do."""
    width = max(len(finding.check) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_WORDS[finding.state]:<5}  {finding.check:<{width}}  {finding.found}")
        if finding.state != "ok":
            lines += [f"       expected: {finding.expected}"] if finding.expected else []
            lines += [f"       fix: {finding.fix}"]
    return lines
