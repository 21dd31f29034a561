"""Tables, and a ring as a table of shares."""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.check.board import Panel, listing, mapping
from kibana_assets.dashboards.picture.form import safe, written
from kibana_assets.dashboards.picture.numbers import Numbers
from kibana_assets.dashboards.queries import buckets

Json = dict[str, Any]
_ROWS: Final = 10
"""What a page of a table has."""


def table(panel: Panel, found: Numbers) -> str:
    """The first page of a table."""
    names = [str(mapping(one).get("columnId")) for one in listing(panel.visualization.get("columns"))]
    numbers = [name for name in names if name not in buckets(found.layer)]
    head = "".join(f"<th{_side(name, numbers)}>{safe(found.label(name))}</th>" for name in names)
    lines = []
    for row in found.rows[:_ROWS]:
        cells = (f"<td{_side(name, numbers)}>{_cell(row.get(name), found.column(name))}</td>" for name in names)
        lines.append(f"<tr>{''.join(cells)}</tr>")
    more = len(found.rows) - _ROWS
    foot = f'<div class="said">and {more} rows more</div>' if more > 0 else ""
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>{foot}"


def ring(panel: Panel, found: Numbers) -> str:
    """The shares of a ring."""
    shape = mapping(listing(panel.visualization.get("layers"))[0])
    group, number = str(listing(shape.get("primaryGroups"))[0]), str(listing(shape.get("metrics"))[0])
    whole = sum(row.get(number) or 0 for row in found.rows) or 1
    lines = []
    for row in found.rows:
        part = (row.get(number) or 0) / whole * 100
        bar = f'<div class="bar"><div style="width:{part:.1f}%;background:#6092c0"></div></div>'
        lines.append(f"<tr><td>{safe(row[group])}</td><td class=share>{bar}</td><td class=n>{part:.1f} %</td></tr>")
    return f"<table>{''.join(lines)}</table>"


def _side(name: str, numbers: list[str]) -> str:
    return " class=n" if name in numbers else ""


def _cell(value: Any, column: Json) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return " › ".join(safe(written(one, column)) for one in parts)  # noqa: RUF001 (as Kibana writes it)
