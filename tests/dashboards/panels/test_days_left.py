"""The days that a certificate is good for yet: as Lens stores such a formula, and what it makes of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from kibana_assets.check.board import Layer
from kibana_assets.dashboards.queries import Window, panel_searches
from kibana_assets.dashboards.results import rows
from tests.dashboards.panels.report import boards
from tests.dashboards.small_board import changed_source, read

BOARD = boards()["local_llm-overview"]
PANEL = next(one for one in BOARD.panels if one.id == "certificate")
LAYER: Layer = PANEL.layers[0]
WINDOW = Window("2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00")
TEXT = "(max(tls.server.not_after) - now()) / 86400000 / clamp(count(kql='tls.server.not_after: *'), 0, 1)"


def shown(end: float | None, events: int) -> Any:
    """What the tile shows where the latest end of a certificate is at ``end`` (milliseconds)."""
    found = {"m0X0": {"value": end}, "m0X2": {"doc_count": events}}
    (row,) = rows(LAYER, {"hits": {"total": {"value": events}}, "aggregations": found}, WINDOW)
    return row["m0"]


def test_the_formula_is_stored_with_its_parts() -> None:
    operations = {name: column["operationType"] for name, column in LAYER.columns.items()}
    assert operations == {"m0X0": "max", "m0X1": "now", "m0X2": "count", "m0X3": "math", "m0": "formula"}
    assert LAYER.columns["m0"]["params"]["formula"] == TEXT
    assert LAYER.columns["m0"]["references"] == ["m0X3"]
    assert LAYER.columns["m0X3"]["references"] == ["m0X0", "m0X1", "m0X2"]
    assert LAYER.columns["m0X0"]["dataType"] == "date"

    def places(tree: Any) -> None:
        if isinstance(tree, dict):
            assert TEXT[tree["location"]["min"] : tree["location"]["max"]] == tree["text"]
            for one in tree["args"]:
                places(one)

    places(LAYER.columns["m0X3"]["params"]["tinymathAst"])


@pytest.mark.parametrize(("days", "events"), [(62.5, 1), (-3, 7), (0, 2)])
def test_days_are_counted_from_now(days: float, events: int) -> None:
    assert shown(1_795_305_600_000 + days * 86_400_000, events) == days


def test_without_a_date_there_is_no_number() -> None:
    """Kibana takes nothing for 1970, which would say that the certificate ended fifty years ago."""
    assert shown(None, 0) is None
    assert shown(0, 0) is None


def test_it_looks_further_back_than_the_dashboard() -> None:
    (search,) = panel_searches(PANEL, BOARD, WINDOW)
    assert search.body["query"]["bool"]["filter"][0] == {"range": {"@timestamp": {"gte": "now-400d", "lte": "now"}}}
    assert search.body["aggs"]["m0X0"] == {"max": {"field": "tls.server.not_after"}}
    assert set(search.body["aggs"]) == {"m0X0", "m0X2"}


def test_a_source_says_where_a_panel_begins() -> None:
    (first, *others) = read(
        changed_source("        kind: metric\n", "        kind: metric\n        time_from: now-9d\n")
    ).panels
    assert first.time_from == "now-9d"
    assert {one.time_from for one in others} == {""}
