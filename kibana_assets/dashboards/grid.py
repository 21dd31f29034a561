"""Where panels stand: rows from the top, shares of 48 columns.

Rules: a row is filled to its last column; a panel has its share of it, rounded so that nothing is left or overlaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kibana_assets.dashboards.model import COLUMNS, Panel, Row

Place = dict[str, int | str]


def placed(rows: Iterable[Row]) -> Iterator[tuple[Panel, Place]]:
    """Each panel with its ``gridData``."""
    top = 0
    for row in rows:
        whole = sum(panel.width for panel in row.panels)
        done, left = 0.0, 0
        for waiting, panel in zip(reversed(range(len(row.panels))), row.panels, strict=True):
            done += panel.width
            # At least a column for each, also for those to come.
            right = min(max(round(done / whole * COLUMNS), left + 1), COLUMNS - waiting)
            yield panel, {"x": left, "y": top, "w": right - left, "h": row.height, "i": panel.id}
            left = right
        top += row.height
