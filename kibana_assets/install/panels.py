"""Every panel of every dashboard, asked once as Kibana would ask: which ones have data, and which cannot be asked.

Rules: nothing is written. The time range is the dashboard's own. Searched are the package's data streams alone, all
that a panel's dataset filter leaves, so that a large cluster is not asked for every log that it has. A search that a
node refuses is told beside its panel and fails nothing; the whole ends when its time is over, or when nobody answers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Literal

from kibana_assets.check.board import Board, Panel, board, mapping
from kibana_assets.dashboards.objects import dashboards, objects
from kibana_assets.dashboards.queries import Search, Window, buckets, panel_searches
from kibana_assets.dashboards.results import rows
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import RefusedError, UnreachableError
from kibana_assets.install.role import PATTERNS
from kibana_assets.package.tree import Tree

Json = dict[str, Any]
State = Literal["data", "empty", "unknown"]
SECONDS: Final = 60.0
_ONE: Final = "10s"
_POINTS: Final = 48
_AGO: Final = re.compile(r"now-(\d{1,4})([mhdw])", re.ASCII)
_UNITS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LACKING: Final = re.compile(r"Unknown aggregation type \[(\w{1,40})\]")
_NARROW: Final = {f"{pattern.partition('-')[0]}-*": pattern for pattern in PATTERNS}
_PARAMS: Final = {"ignore_unavailable": "true", "allow_no_indices": "true", "expand_wildcards": "open,hidden"}
_ORDER: Final = ("data", "unknown", "empty")


@dataclass(frozen=True, slots=True)
class PanelProof:
    """What a panel would show: ``found`` says how many documents it is made of, or why that is not known."""

    dashboard: str
    panel: str
    title: str
    state: State
    found: str


def boards(tree: Tree) -> tuple[Board, ...]:
    """The dashboards over the data streams of ``tree``. Raises: PackageError."""
    return tuple(board(one) for one in objects(dashboards(tree)) if one["type"] == "dashboard")


def prove_panels(cluster: Cluster, found: Iterable[Board], *, seconds: float = SECONDS) -> Iterator[PanelProof]:
    """Ask for each panel, for ``seconds`` at most."""
    ends = time.monotonic() + seconds
    silent = ""
    for one in found:
        window, range_ = _window(one)
        for panel in one.panels:
            if not panel.layers:
                continue
            state: State = "unknown"
            told = silent or ("not asked: the time is over" if time.monotonic() > ends else "")
            if not told:
                try:
                    state, told = _panel(cluster, panel, one, window)
                except UnreachableError as error:
                    told, silent = error.message, "not asked: Elasticsearch did not answer"
            told = f"no documents of the last {range_}" if state == "empty" and not told else told
            yield PanelProof(str(one.attributes.get("title")), panel.id, panel.title, state, told)


def _window(one: Board) -> tuple[Window, str]:
    found = _AGO.fullmatch(str(one.attributes.get("timeFrom")))
    number, unit = (int(found[1]), found[2]) if found else (24, "h")
    ends = datetime.now(timezone.utc)
    begins = ends - timedelta(seconds=number * _UNITS[unit])
    step = max(60, number * _UNITS[unit] // _POINTS)
    return Window(begins.isoformat(), ends.isoformat(), interval=step), f"{number} {unit}"


def _panel(cluster: Cluster, panel: Panel, one: Board, window: Window) -> tuple[State, str]:
    """The best of its layers: a panel with data in one has data."""
    made = [_layer(cluster, panel, search, window) for search in panel_searches(panel, one, window)]
    return min(made, key=lambda pair: _ORDER.index(pair[0]), default=("data", "shows a fixed value"))


def _layer(cluster: Cluster, panel: Panel, search: Search, window: Window) -> tuple[State, str]:
    path = f"/{_NARROW.get(search.index, search.index)}/_search"
    try:
        answer = mapping(cluster.call("POST", path, {**search.body, "timeout": _ONE}, params=_PARAMS, once=True))
    except RefusedError as error:
        lacking = _LACKING.search(error.message)
        return "unknown", f"this Elasticsearch has no aggregation {lacking[1]}" if lacking else error.message
    try:
        return _shown(panel, search, answer, window)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError):
        # What aggregations answer has as many forms as they are; what cannot be read is told like what is refused.
        return "unknown", "Elasticsearch gave an answer of another form"


def _shown(panel: Panel, search: Search, answer: Json, window: Window) -> tuple[State, str]:
    shards = mapping(answer.get("_shards"))
    if answer.get("timed_out") or shards.get("failed"):
        return "unknown", f"took longer than {_ONE}" if answer.get("timed_out") else "some shards failed"
    hits = int(mapping(mapping(answer.get("hits")).get("total")).get("value") or 0)
    if not hits:
        return "empty", ""
    layer = next(one for one in panel.layers if one.id == search.layer)
    numbers = [name for name in layer.columns if name not in buckets(layer)]
    if any(row.get(name) is not None for row in rows(layer, answer, window) for name in numbers):
        return "data", f"of {hits} documents"
    return "empty", f"{hits} documents, but none has what it shows"
