"""Histograms of vLLM's metrics: what the collector counts between scrapes, and percentiles of what is stored."""

from __future__ import annotations

import secrets

import pytest

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.templates import templates
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node, RefusedError
from tests.package.prometheus_collector import Collector, at_start
from tests.package.simulate import Document, leaves
from tests.package.store import store
from tests.package.vllm_scrapes import FIRST, answer, documents, filters, stream

STREAM = stream()
OWN = "local_llm.vllm."
BOUNDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
TIMES = [((17 * place) % 1000 + 0.5) ** 2 / 1e5 for place in range(1000)]
INF = float("inf")

# Scrapes (bucket → requests up to there), and what is counted in each.
COUNTED: dict[str, list[tuple[dict[float, int], list[int]]]] = {
    "the first counts nothing": [({1.0: 5, 3.0: 7, INF: 8}, [0, 0, 0])],
    "then what is new": [({1.0: 5, 3.0: 7, INF: 8}, [0, 0, 0]), ({1.0: 6, 3.0: 10, INF: 12}, [1, 2, 1])],
    "nothing is new": [({1.0: 5, INF: 8}, [0, 0]), ({1.0: 5, INF: 8}, [0, 0])],
    "a bucket between": [({1.0: 0, 9.0: 10}, [0, 0]), ({1.0: 1, 5.0: 2, 9.0: 13}, [1, 0, 1])],
    "a restart": [({1.0: 5, INF: 8}, [0, 0]), ({1.0: 1, INF: 2}, [0, 0]), ({1.0: 2, INF: 5}, [1, 2])],
    "buckets that fall": [({1.0: 10, 2.0: 8}, [0, 0]), ({1.0: 12, 2.0: 8}, [2, 0])],
}


@pytest.mark.parametrize("name", COUNTED)
def test_the_collector_counts_between_scrapes(name: str) -> None:
    collector = Collector()
    for buckets, expected in COUNTED[name]:
        text = _text("x", [("+Inf" if bound == INF else str(bound), count) for bound, count in buckets.items()])
        found = collector.scrape(text, FIRST)[0]["prometheus"]["x"]["histogram"]
        assert found["counts"] == expected
        assert len(found["values"]) == len(expected)
    assert collector.scrape(_text("y", [("1.0", 1), ("3.0", 1), ("+Inf", 1)]), FIRST)[0]["prometheus"]["y"] == {
        "histogram": {"values": [0.5, 2.0, 3.0], "counts": [0, 0, 0]}
    }


def test_percentiles_of_a_histogram_are_those_of_the_requests(node: Node) -> None:
    """1,000 known times in 10 scrapes: the percentile lies in the bucket in which the real one lies."""
    made = documents(node, _scrapes())
    field = f"{OWN}time_to_first_token"
    buckets: dict[float, int] = {}
    for document in made:
        fields = dict(leaves(document))
        for value, count in zip(fields.get(f"{field}.values", ()), fields.get(f"{field}.counts", ()), strict=True):
            buckets[value] = buckets.get(value, 0) + count
    assert sum(buckets.values()) == len(TIMES)
    every = sorted(value for value, count in buckets.items() for _ in range(count))
    for share in (50, 95, 99):
        place = len(TIMES) * share // 100
        assert _bucket(every[place]) == _bucket(sorted(TIMES)[place]), share


def _scrapes() -> list[Document]:
    collector = Collector(include=filters())
    events = []
    for number in range(11):
        until_now = TIMES[: number * len(TIMES) // 10]
        counts = [(str(bound), sum(time <= bound for time in until_now)) for bound in BOUNDS]
        text = _text("vllm:time_to_first_token_seconds", [*counts, ("+Inf", len(until_now))])
        events += collector.scrape(text, f"2026-11-21T10:00:{number:02}.000Z")
    return events


def _text(name: str, buckets: list[tuple[str, int]]) -> str:
    lines = [f'{name}_bucket{{engine="0",le="{bound}",model_name="m"}} {count}.0' for bound, count in buckets]
    return "\n".join([f"# TYPE {name} histogram", *lines])


def _bucket(value: float) -> int:
    return sum(value > bound for bound in BOUNDS)


def test_elasticsearch_finds_the_same_percentiles(node: Node) -> None:
    field, index = f"{OWN}time_to_first_token", f"histograms-{secrets.token_hex(4)}"
    mappings = templates(STREAM, read_fields(load(), STREAM, ecs())).component["template"]["mappings"]
    try:
        node.call("PUT", index, {"mappings": mappings})
    except RefusedError as error:
        if "[histogram]" not in error.text:
            raise
        pytest.skip(f"{node.version} here has no histogram field: set ELASTICSEARCH_URL to a whole Elasticsearch")
    made = documents(node, _scrapes())
    store(node, index, made)
    asked = {"size": 0, "aggs": {"found": {"percentiles": {"field": field, "percents": [50, 95, 99]}}}}
    answer = node.call("POST", f"{index}/_search", asked)["aggregations"]["found"]["values"]
    node.call("DELETE", index)
    for share in (50, 95, 99):
        # Elasticsearch interpolates between the middles of buckets, and so may end up in the next one.
        assert abs(_bucket(answer[f"{share}.0"]) - _bucket(sorted(TIMES)[len(TIMES) * share // 100])) <= 1, share


def test_a_start_of_the_server_counts_nothing_twice(node: Node) -> None:
    collector = Collector(include=filters())
    text = answer("0.32")
    fields = [
        dict(leaves(document))
        for part in (text, text, at_start(text), text)
        for document in documents(node, collector.scrape(part, FIRST))
        if dict(leaves(document)).get(f"{OWN}requests.running") is not None
    ]
    counts = [sum(one.get(f"{OWN}e2e_latency.counts", ())) for one in fields]
    assert counts == [0, 0, 0, 4]
