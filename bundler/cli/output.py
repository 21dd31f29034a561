"""What commands print: results on stdout, one JSON object with ``--json``; nothing that could steer the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """``text`` with control characters made visible: names come from servers and media."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def emit(document: dict[str, Any], *, as_json: bool, text: Iterable[str]) -> None:
    """Print ``document`` as JSON, or else the lines of ``text``."""
    if as_json:
        click.echo(json.dumps(document, indent=2, default=str))
    else:
        for line in text:
            click.echo(clean(line))


def table(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> list[str]:
    """Lines with columns as wide as their widest cell; the last column is left as it is."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)] if rows else []
    return [indent + "  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows]


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--json`` as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)


def quiet_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``-q`` as ``quiet``."""
    return click.option("-q", "--quiet", is_flag=True, help="No progress, no talk.")(function)


def spec_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The bundle.yml as ``spec_path``."""
    return click.argument("spec_path", metavar="[BUNDLE.YML]", type=click.Path(path_type=Path), default="bundle.yml")(
        function
    )


def plain_http_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--plain-http HOST`` as ``plain_http``."""
    return click.option(
        "--plain-http",
        metavar="HOST[:PORT]",
        multiple=True,
        help="Reach this registry by http:// (also: registries in bundle.yml). May be given again.",
    )(function)
