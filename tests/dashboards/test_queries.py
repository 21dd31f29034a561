"""The searches that Lens would send, and the rows that it would show."""

from __future__ import annotations

from typing import Any

import pytest

from kibana_assets.check.board import Layer
from kibana_assets.check.board import board as taken_apart
from kibana_assets.dashboards.objects import dashboards, objects
from kibana_assets.dashboards.queries import Search, Window, searches
from kibana_assets.dashboards.results import collapsed, rows
from kibana_assets.package.tree import load
from tests.dashboards.small_board import Change, board, column, state

Json = dict[str, Any]
WINDOW = Window("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", interval=60, width=5)


def of(name: str, change: Change | None = None) -> Search:
    return next(one for one in searches(taken_apart(board(change)), WINDOW) if one.panel == name)


def layer_of(name: str, change: Change | None = None) -> Layer:
    panel = next(one for one in taken_apart(board(change)).panels if one.id == name)
    return next(one for one in panel.layers if one.id == f"{name}-data")


def test_what_narrows_the_documents_down() -> None:
    found = of("tile").body["query"]["bool"]["filter"]
    assert found[0] == {"range": {"@timestamp": {"gte": WINDOW.start, "lte": WINDOW.end}}}
    both = [{"match_phrase": {"data_stream.dataset": name}} for name in ("small.log", "small.rate")]
    assert found[1] == {"bool": {"minimum_should_match": 1, "should": both}}
    assert found[2] == {"match_phrase": {"data_stream.dataset": "small.log"}}
    asked = {"bool": {"should": [{"match": {"small.log.state": "open"}}], "minimum_should_match": 1}}
    assert found[3] == asked
    assert of("tile").index == "logs-*"
    assert of("rates").index == "metrics-*"
    negated: Change = lambda b: state(b, "tile")["filters"][0]["meta"].update(negate=True)  # noqa: E731
    assert of("tile", negated).body["query"]["bool"]["must_not"] == [found[2]]


def test_the_aggregations_of_each_kind() -> None:
    assert of("tile").body["aggs"] == {}
    opened = {"bool": {"should": [{"match": {"small.log.state": "open"}}], "minimum_should_match": 1}}
    assert of("gauge").body["aggs"] == {"m0X0": {"filter": opened}}
    time = {"field": "@timestamp", "fixed_interval": "60s", "time_zone": "UTC", "min_doc_count": 0}
    time["extended_bounds"] = {"min": WINDOW.start, "max": WINDOW.end}
    inner = {"x": {"date_histogram": time, "aggs": {"m0X0": {"max": {"field": "small.rate.tokens"}}}}}
    terms = {"field": "service.name", "size": 10, "order": {"_key": "asc"}}
    assert of("rates").body["aggs"] == {"by0": {"terms": terms, "aggs": inner}}
    times = of("times").body["aggs"]["by0"]
    assert times["terms"]["order"] == {"m0.95": "desc"}
    percentile = {"percentiles": {"field": "small.log.wait_time", "percents": [95]}}
    assert times["aggs"]["x"]["aggs"] == {"m0": percentile}
    assert times["aggs"]["m0"] == percentile
    table = of("table").body["aggs"]["by0"]
    assert table["terms"]["order"] == {"_count": "desc"}
    there = {"bool": {"should": [{"exists": {"field": "small.log.state"}}], "minimum_should_match": 1}}
    last = {"top_metrics": {"metrics": {"field": "small.log.state"}, "size": 1, "sort": {"@timestamp": "desc"}}}
    assert table["aggs"] == {
        "m1": {"max": {"field": "@timestamp"}},
        "m2": {"filter": there, "aggs": {"value": last}},
    }
    width = {"field": "small.log.wait_time", "interval": 5, "min_doc_count": 1}
    assert of("heat").body["aggs"]["by0"]["histogram"] == width
    ring = of("ring").body["aggs"]["by0"]["filters"]["filters"]
    assert ring == {"open": opened, "others": {"bool": {"must_not": opened}}}


def test_terms_of_several_fields_and_an_order_by_a_number_with_a_filter() -> None:
    def several(made: Json) -> None:
        column(made, "table", "by0")["params"]["secondaryFields"] = ["ecs.version"]
        column(made, "table", "m0")["filter"] = {"language": "kuery", "query": "event.kind: event"}

    found = of("table", several).body["aggs"]["by0"]["multi_terms"]
    assert found["terms"] == [{"field": "small.log.state"}, {"field": "ecs.version"}]
    assert found["order"] == {"m0": "desc"}


def test_every_panel_with_data_of_ours_has_its_search() -> None:
    for made in objects(dashboards(load())):
        if made["type"] == "dashboard":
            taken = taken_apart(made)
            found = [one.panel for one in searches(taken, WINDOW)]
            assert found == [one.id for one in taken.panels if one.type in ("lens", "map")]
            assert {one.index for one in searches(taken, WINDOW)} <= {"logs-*", "metrics-*"}


def bucket(key: object, count: int, **aggs: object) -> Json:
    return {"key": key, "doc_count": count, **aggs}


def test_a_counter_rate_its_reset_and_its_collapse() -> None:
    def series(*values: float | None) -> Json:
        points = [bucket(number * 60_000, 1, m0X0={"value": value}) for number, value in enumerate(values)]
        return {"x": {"buckets": points}}

    answer = {
        "hits": {"total": {"value": 9}},
        "aggregations": {
            "by0": {"buckets": [bucket("a", 4, **series(60, 180, 60, None)), bucket("b", 4, **series(0, 60, 0, 600))]}
        },
    }
    found = rows(layer_of("rates"), answer, WINDOW)
    assert [(row["by0"], row["x"], row["m0"]) for row in found] == [
        ("a", 0, None),
        ("a", 60_000, 2),
        ("a", 120_000, 1),
        ("a", 180_000, None),
        ("b", 0, None),
        ("b", 60_000, 1),
        ("b", 120_000, 0),
        ("b", 180_000, 10),
    ]
    together = collapsed(found, "by0", ["m0", "m0X0"], "sum")
    assert [(row["x"], row["m0"]) for row in together] == [(0, None), (60_000, 3), (120_000, 1), (180_000, 10)]
    assert [row["m0"] for row in collapsed(found, "by0", ["m0", "m0X0"], "max")] == [None, 2, 1, 10]


def test_a_share_a_table_and_filters() -> None:
    hits = {"hits": {"total": {"value": 8}}}
    (share,) = rows(layer_of("gauge"), {**hits, "aggregations": {"m0X0": {"doc_count": 2}}}, WINDOW)
    assert (share["m0"], share["m0X1"], share["max"]) == (0.25, 8, 1.0)
    (nothing,) = rows(layer_of("gauge"), {"hits": {"total": {"value": 0}}}, WINDOW)
    assert nothing["m0"] is None
    last = {"doc_count": 1, "value": {"top": [{"metrics": {"small.log.state": "open"}}]}}
    answer = {"aggregations": {"by0": {"buckets": [bucket("open", 3, m1={"value": 7.0}, m2=last)]}}}
    assert rows(layer_of("table"), answer, WINDOW) == [{"by0": "open", "m0": 3, "m1": 7.0, "m2": "open"}]
    named = {"by0": {"buckets": {"open": {"doc_count": 2}, "others": {"doc_count": 1}}}}
    assert [row["m0"] for row in rows(layer_of("ring"), {"aggregations": named}, WINDOW)] == [2, 1]
    spread = {"by0": {"buckets": [bucket("a", 1, x={"buckets": [bucket(0, 1, m0={"values": {"95.0": 2.5}})]})]}}
    assert rows(layer_of("times"), {"aggregations": spread}, WINDOW)[0]["m0"] == 2.5


def test_a_map_asks_for_places_within_its_own_query() -> None:
    found = of("map")
    kept = found.body["query"]["bool"]["filter"]
    assert kept[1]["bool"]["should"], "the dashboard's filter"
    limited, asked = kept[2]["bool"]["filter"]
    assert limited["bool"]["should"] == [{"match_phrase": {"data_stream.dataset": "small.log"}}]
    assert len(asked["bool"]["should"]) == 2
    assert kept[3] == {"exists": {"field": "small.log.where"}}
    inner = {"at": {"geo_centroid": {"field": "small.log.where"}}}
    grid = {"field": "small.log.where", "precision": 3}
    assert found.body["aggs"] == {"by0": {"geotile_grid": grid, "aggs": inner}}
    assert found.index == "logs-*"
    place = {"lat": 51.5, "lon": -0.1}
    answer = {"aggregations": {"by0": {"buckets": [bucket("3/3/2", 5, at={"location": place, "count": 5})]}}}
    assert rows(layer_of("map"), answer, WINDOW) == [{"by0": "3/3/2", "m0": 5, "at": place}]


@pytest.mark.parametrize(("unit", "factor"), [("m", 1), ("s", 1 / 60), ("h", 60)])
def test_a_count_for_each_minute(unit: str, factor: float) -> None:
    change: Change = lambda b: column(b, "tile").update(timeScale=unit)  # noqa: E731
    (row,) = rows(layer_of("tile", change), {"hits": {"total": {"value": 30}}}, WINDOW)
    assert row["m0"] == pytest.approx(30 * factor)
