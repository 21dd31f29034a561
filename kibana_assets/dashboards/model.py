"""What a dashboard's source says, as values.

Rules: nothing here knows Kibana's own form. A measure is a number (a column of a table, a line of a chart), a bucket is
what numbers are grouped by. ``place`` is ``file:line``, for whoever has to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COLUMNS: Final = 48


@dataclass(frozen=True, slots=True)
class Measure:
    """One number. ``percentile`` is 0 but for percentiles; ``part`` and ``whole`` are those of a ratio.

    ``per`` is ``s`` or ``m`` for a number that is a second's or a minute's part of what a point in time has.
    """

    op: str
    label: str
    unit: str
    field: str = ""
    query: str = ""
    percentile: float = 0
    per: str = ""
    part: Measure | None = None
    whole: Measure | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is grouped by: ``time``, ``terms``, ``range``, ``place`` (of a map) or ``filters`` (label → KQL).

    ``collapse`` names how the groups are put together again (``sum``), or is empty.
    """

    op: str
    label: str
    fields: tuple[str, ...] = ()
    size: int = 10
    other: bool = False
    filters: tuple[tuple[str, str], ...] = ()
    collapse: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """From ``at`` on a number is ``ok``, ``warning`` or ``bad``; ``text`` says so where the colour is not seen."""

    at: float
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """To the dashboard with the id ``to``."""

    to: str
    label: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``width`` is its share of the row; ``datasets`` are full names, all of one ``view``.

    ``time_from`` is where its own time range begins, such as ``now-400d``; empty for that of the dashboard.
    """

    id: str
    title: str
    kind: str
    place: str
    view: str = ""
    datasets: tuple[str, ...] = ()
    query: str = ""
    description: str = ""
    measures: tuple[Measure, ...] = ()
    x: Bucket | None = None
    by: tuple[Bucket, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    text: str = ""
    links: tuple[Link, ...] = ()
    stacked: bool = False
    width: float = 1
    time_from: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side, all as high as the row: in Kibana's grid units of about 20 pixels."""

    height: int
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """A list of a field's values above the panels, to choose from."""

    field: str
    label: str
    view: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard; ``file`` is its source."""

    id: str
    title: str
    description: str
    file: str
    rows: tuple[Row, ...]
    controls: tuple[Control, ...] = ()
    time_from: str = "now-24h"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, row by row."""
        return tuple(panel for row in self.rows for panel in row.panels)
