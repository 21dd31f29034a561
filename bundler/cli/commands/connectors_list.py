"""``llm-bundle connectors list``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.kibana_options import kibana_options, open_kibana
from bundler.cli.output import FOUND, emit, json_option, table

if TYPE_CHECKING:
    from preconfigured.live.listing import Overview, Space


@click.command()
@kibana_options()
@click.option("--expect", metavar="ID", multiple=True, help="A connector that every space must have. May be repeated.")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Expect the connectors that this kibana.yml or bundle.yml names.",
)
@json_option
def command(
    url: str,
    api_key_file: Path | None,
    user: str | None,
    ca: Path | None,
    timeout: float,
    expect: tuple[str, ...],
    source: Path | None,
    as_json: bool,
) -> int:
    """List the connectors to language models in every space of a Kibana. Exit code 8: something is to be mended."""
    from preconfigured.live.listing import overview

    expected = tuple(dict.fromkeys((*expect, *_named(source))))
    found = overview(open_kibana(url, api_key_file, user, ca, timeout), expected)
    document = {
        "ok": not found.remarks,
        "version": found.version,
        "connectors": found.ids,
        "spaces": [{**asdict(space), "connectors": _rows(space)} for space in found.spaces],
        "findings": [asdict(remark) for remark in found.remarks],
    }
    emit(document, as_json=as_json, text=_text(found))
    return FOUND if found.remarks else 0


def _named(source: Path | None) -> tuple[str, ...]:
    if source is None:
        return ()
    if source.name in ("bundle.yml", "bundle.yaml"):
        from bundler.spec.parse import read_spec

        return tuple(connector.id for connector in read_spec(source).connectors)
    from preconfigured.live.expected import read_ids

    return read_ids(source)


def _rows(space: Space) -> list[dict[str, object]] | None:
    return None if space.connectors is None else [asdict(one) for one in space.connectors]


def _text(found: Overview) -> list[str]:
    counts = ", ".join(
        f"{count} {what}{'' if count == 1 else 's'}"
        for count, what in ((len(found.spaces), "space"), (len(found.ids), "connector"))
    )
    head = f"Kibana {found.version or '(version not told)'}: {counts}"
    if not found.ids:
        return [head, "  No connector to a language model is in any of them."]
    rows = [
        ("space", *found.ids),
        *((space.id, *(_cell(found, space, one) for one in found.ids)) for space in found.spaces),
    ]
    lines = [head, *table(rows)]
    for remark in found.remarks:
        what = f"{remark.connector} in space {remark.space}" if remark.connector else f"space {remark.space}"
        lines += [f"{remark.rule.upper()} {what}: {remark.found}", f"  fix: {remark.fix}"]
    old = {one.id for space in found.spaces for one in space.connectors or () if one.type_deprecated}
    if old.intersection(found.ids):
        lines.append("note: Kibana calls this connector type deprecated; existing ones go on working")
    return [*lines, *([] if found.remarks else ["every space has every connector, preconfigured"])]


def _cell(found: Overview, space: Space, connector: str) -> str:
    if space.connectors is None:
        return "?"
    wrong = [remark.rule for remark in found.remarks if (remark.space, remark.connector) == (space.id, connector)]
    if wrong:
        return wrong[0].upper()
    return "preconfigured" if space.named(connector) else "-"
