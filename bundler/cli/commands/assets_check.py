"""``llm-bundle assets check``."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.output import FOUND, emit, json_option
from bundler.disk import read_bounded
from kibana_assets.check.files import MOST_ZIP, read
from kibana_assets.check.finding import Finding
from kibana_assets.check.run import check_objects, check_sources
from kibana_assets.package.tree import load


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@json_option
def command(files: tuple[Path, ...], as_json: bool) -> int:
    """Find what is wrong with dashboards: of this llm-bundle, or of FILEs (NDJSON of Kibana, a package's zip).

    Kibana imports a broken dashboard without a word, and shows an empty panel. Exit code 8 if something is found.
    """
    findings = [finding for file in files for finding in _of(file)] if files else check_sources(load())
    document = {
        "findings": [
            {"rule": one.rule, "place": one.place, "found": one.found, "expected": one.expected} for one in findings
        ]
    }
    said = f"{len(findings)} found" if findings else "nothing is wrong"
    emit(document, as_json=as_json, text=[*map(str, findings), said])
    return FOUND if findings else 0


def _of(file: Path) -> list[Finding]:
    found = read(read_bounded(file, MOST_ZIP), str(file))
    return [
        Finding(one.rule, f"{file}: {one.place}", one.found, one.expected)
        for one in check_objects(found.objects, found.tree or load())
    ]
