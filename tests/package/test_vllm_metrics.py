"""vLLM's metrics from a real answer of /metrics to documents of a time series, on both versions of Elasticsearch."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import pipelines
from kibana_assets.package.templates import templates
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node, RefusedError
from tests.package.prometheus_collector import Collector, at_start, samples
from tests.package.simulate import Document, leaves, simulate
from tests.package.store import install_templates, remove, store
from tests.package.vllm_scrapes import FIRST, SECOND, VERSIONS, answer, cases, filters, second_scrape, stream

STREAM = stream()
OWN = "local_llm.vllm."
BOUNDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
TIMES = [((17 * place) % 1000 + 0.5) ** 2 / 1e5 for place in range(1000)]


def scripts() -> dict[str, Any]:
    """The tables of the pipeline: kind → bare name → path."""
    processors = pipelines(load(), STREAM)[STREAM.pipeline_id()]["processors"]
    found: dict[str, Any] = next(one["script"]["params"] for one in processors if "script" in one)
    return found


def mapped() -> set[str]:
    params = scripts()
    return {name for kind in ("counts", "shares", "counters", "histograms") for name in params[kind]}


@pytest.fixture
def series(node: Node) -> Iterator[str]:
    """A data stream of its own."""
    name = STREAM.data_stream(f"test{secrets.token_hex(4)}")
    install_templates(node, STREAM, read_fields(load(), STREAM, ecs()), name)
    yield name
    remove(node, name)


def documents(node: Node, events: list[Document]) -> list[Document]:
    made = simulate(node, STREAM.pipeline_id(), events, STREAM.data_stream())
    assert None not in made
    return [one for one in made if one]


def test_the_events_of_the_pipeline_tests_are_of_these_answers() -> None:
    for path, text in cases().items():
        assert path.read_text(encoding="utf-8") == text, "python -m tests.package.vllm_scrapes"


@pytest.mark.parametrize("version", VERSIONS.values())
def test_the_agent_sends_what_is_mapped_and_nothing_else(version: str) -> None:
    for family in re.findall(r"^# TYPE (\S+) ", answer(version), re.MULTILINE):
        bare = family.partition(":")[2].removesuffix("_total")
        known = bare in mapped() and family != "vllm:iteration_tokens_total"
        assert any(re.search(pattern, family) for pattern in filters()) is known, family


def test_every_mapped_name_passes_the_filter_and_has_a_field() -> None:
    declared = {field.name for field in read_fields(load(), STREAM, ecs())}
    params = scripts()
    for kind in ("counts", "shares", "counters", "histograms"):
        for name, path in params[kind].items():
            for family in (f"vllm:{name}", f"vllm_{name}", *([f"vllm:{name}_total"] if kind == "counters" else [])):
                assert any(re.search(pattern, family) for pattern in filters()), family
            assert OWN + ".".join(path) in declared, name
    assert set(params["older"]) <= mapped()


@pytest.mark.parametrize("version", VERSIONS.values())
def test_no_two_documents_of_a_scrape_are_one_series(version: str, node: Node, series: str) -> None:
    """Neither of what the template lets through, nor of everything, nor of scrapes that failed."""
    collector = Collector()
    events = collector.scrape(answer(version), FIRST) + second_scrape(version)
    events += Collector(url="http://localhost:8001/metrics").failed(SECOND)
    made = documents(node, events)
    assert len(store(node, series, made)) == len(events) > 4
    with pytest.raises(AssertionError, match="version_conflict"):
        store(node, series, made[:1])


def test_nothing_of_the_collector_is_stored(node: Node) -> None:
    for document in documents(node, Collector().scrape(answer("0.32"), FIRST)):
        assert not {"prometheus", "metricset", "_tmp"} & set(document)


def test_each_number_of_a_real_answer_is_where_it_belongs(node: Node) -> None:
    said = {(name, dict(labels).get("finished_reason")): value for name, labels, value in samples(answer("0.32"))}
    found: dict[tuple[str, object], Any] = {}
    for document in documents(node, second_scrape("0.32")):
        fields = dict(leaves(document))
        found |= {(name, fields.get(f"{OWN}finished_reason")): value for name, value in fields.items()}
    for name, field in {
        "num_requests_running": "requests.running",
        "kv_cache_usage_perc": "kv_cache.usage",
        "num_preemptions_total": "preemptions.total",
        "prompt_tokens_total": "tokens.prompt.total",
        "generation_tokens_total": "tokens.generation.total",
        "prefix_cache_queries_total": "prefix_cache.queries.total",
        "prefix_cache_hits_total": "prefix_cache.hits.total",
    }.items():
        assert found[OWN + field, None] == said[f"vllm:{name}", None], name
    for reason in ("stop", "length", "abort", "error", "repetition"):
        expected = said["vllm:request_success_total", reason]
        assert found[f"{OWN}requests.finished.total", reason] == expected
    for name, field in {
        "time_to_first_token_seconds": "time_to_first_token",
        "inter_token_latency_seconds": "inter_token_latency",
        "e2e_request_latency_seconds": "e2e_latency",
        "request_generation_tokens": "request.generation_tokens",
    }.items():
        assert sum(found[f"{OWN}{field}.counts", None]) == said[f"vllm:{name}_count", None] > 0, name


def test_counters_add_up_over_scrapes_engines_and_a_restart(node: Node, series: str) -> None:
    """Two engines make 100 and 10 tokens a scrape; after the fifth scrape the server begins anew."""
    collector = Collector(include=filters())
    events = []
    for number in range(1, 11):
        since_start = number if number <= 5 else number - 6
        text = "# TYPE vllm:generation_tokens_total counter\n" + "".join(
            f'vllm:generation_tokens_total{{engine="{engine}",model_name="m"}} {step * since_start}.0\n'
            for engine, step in enumerate((100, 10))
        )
        events += collector.scrape(text, f"2026-11-21T10:00:{number:02}.000Z")
    store(node, series, documents(node, events))
    assert _increase(node, series) == {"0": 4 * 100 + 4 * 100, "1": 4 * 10 + 4 * 10}


def _increase(node: Node, series: str) -> dict[str, int]:
    """What ``rate`` counts of each series: rises, and after a fall what is there then."""
    last = {"max": {"field": f"{OWN}tokens.generation.total"}}
    each_second = {"date_histogram": {"field": "@timestamp", "fixed_interval": "1s"}, "aggs": {"last": last}}
    aggregation = {"series": {"terms": {"field": f"{OWN}engine"}, "aggs": {"each": each_second}}}
    answer = node.call("POST", f"{series}/_search", {"size": 0, "aggs": aggregation})["aggregations"]["series"]
    found = {}
    for bucket in answer["buckets"]:
        values = [one["last"]["value"] for one in bucket["each"]["buckets"]]
        pairs = pairwise(values)
        found[bucket["key"]] = sum(after - before if after >= before else after for before, after in pairs)
    return found


def test_percentiles_of_a_histogram_are_those_of_the_requests(node: Node) -> None:
    """1,000 known times in 10 scrapes: the percentile lies in the bucket in which the real one lies."""
    made = documents(node, _scrapes(TIMES, BOUNDS))
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


def _scrapes(times: list[float], bounds: tuple[float, ...]) -> list[Document]:
    collector = Collector(include=filters())
    events = []
    for number in range(11):
        until_now = times[: number * len(times) // 10]
        counts = [(str(bound), sum(time <= bound for time in until_now)) for bound in bounds]
        text = "# TYPE vllm:time_to_first_token_seconds histogram\n" + "".join(
            f'vllm:time_to_first_token_seconds_bucket{{engine="0",le="{bound}",model_name="m"}} {count}.0\n'
            for bound, count in (*counts, ("+Inf", len(until_now)))
        )
        events += collector.scrape(text, f"2026-11-21T10:00:{number:02}.000Z")
    return events


def _bucket(value: float) -> int:
    return sum(value > bound for bound in BOUNDS)


def test_elasticsearch_finds_the_same_percentiles(node: Node, series: str) -> None:
    field = f"{OWN}time_to_first_token"
    remove(node, series)
    mappings = templates(STREAM, read_fields(load(), STREAM, ecs())).component["template"]["mappings"]
    try:
        node.call("PUT", f"{series}-plain", {"mappings": mappings})
    except RefusedError as error:
        if "[histogram]" not in error.text:
            raise
        pytest.skip(f"{node.version} here has no histogram field: set ELASTICSEARCH_URL to a whole Elasticsearch")
    made = documents(node, _scrapes(TIMES, BOUNDS))
    store(node, f"{series}-plain", made)
    asked = {"size": 0, "aggs": {"found": {"percentiles": {"field": field, "percents": [50, 95, 99]}}}}
    answer = node.call("POST", f"{series}-plain/_search", asked)["aggregations"]["found"]["values"]
    node.call("DELETE", f"{series}-plain")
    for share in (50, 95, 99):
        assert _bucket(answer[f"{share}.0"]) == _bucket(sorted(TIMES)[len(TIMES) * share // 100]), share


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


def test_a_document_without_dimension_would_be_refused(node: Node, series: str) -> None:
    """Why the pipeline gives it a fingerprint: the next release of it would lose such documents."""
    with pytest.raises((AssertionError, RefusedError), match="routing"):
        store(node, series, [{"@timestamp": FIRST, "message": "x"}])
    assert store(node, series, documents(node, [{"@timestamp": FIRST, "message": "x"}]))
