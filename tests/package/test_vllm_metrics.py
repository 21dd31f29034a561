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
from tests.package.prometheus_collector import Collector, samples
from tests.package.simulate import leaves
from tests.package.store import install_templates, remove, store
from tests.package.vllm_scrapes import (
    FIRST,
    SECOND,
    VERSIONS,
    answer,
    cases,
    documents,
    filters,
    second_scrape,
    stream,
)

STREAM = stream()
OWN = "local_llm.vllm."


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


def test_the_mapping_is_one_of_a_time_series() -> None:
    made = templates(STREAM, read_fields(load(), STREAM, ecs()))
    assert made.index["template"] == {"settings": {"index": {"mode": "time_series"}}}
    found = dict(_mapped(made.component["template"]["mappings"]["properties"]))
    dimensions = {name for name, mapping in found.items() if mapping.get("time_series_dimension")}
    own = {f"{OWN}engine", f"{OWN}finished_reason", f"{OWN}fingerprint"}
    assert dimensions == {"agent.id", "host.name", "service.address", "gen_ai.request.model"} | own
    metrics = {
        name: mapping["time_series_metric"] for name, mapping in found.items() if "time_series_metric" in mapping
    }
    assert {name for name, kind in metrics.items() if kind == "counter"} == {
        OWN + ".".join(path) for path in scripts()["counters"].values()
    }
    assert metrics[f"{OWN}kv_cache.usage"] == metrics[f"{OWN}requests.waiting"] == "gauge"
    for path in scripts()["histograms"].values():
        assert found[OWN + ".".join(path)]["type"] == "histogram"
    assert found[f"{OWN}time_to_first_token"]["meta"] == {"unit": "s"}


def _mapped(properties: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, entry in properties.items():
        if "type" in entry:
            yield above + name, entry
        yield from _mapped(entry.get("properties", {}), f"{above}{name}.")


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


def test_a_document_without_dimension_would_be_refused(node: Node, series: str) -> None:
    """Why the pipeline gives it a fingerprint: the next release of it would lose such documents."""
    with pytest.raises((AssertionError, RefusedError), match="routing"):
        store(node, series, [{"@timestamp": FIRST, "message": "x"}])
    assert store(node, series, documents(node, [{"@timestamp": FIRST, "message": "x"}]))
