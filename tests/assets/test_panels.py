"""After an installation each panel is asked once: with data, without, and where a node cannot answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from bundler.cli.assets_wording import panel_lines
from kibana_assets.connection.address import server
from kibana_assets.connection.login import api_key, secret_of
from kibana_assets.connection.target import Target
from kibana_assets.connection.trust import Trust
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.install.panels import PanelProof, boards, prove_panels
from kibana_assets.package.tree import load
from tests.assets.stage import Stage
from tests.assets.test_kibana import kibana, options
from tests.counterparts.kibana_stack.server import KibanaStack

__all__ = ["kibana"]
pytestmark = pytest.mark.usefixtures("all_streams")
STREAM = "logs-local_llm.proxy_access-default"
LACKS = ("multi_terms", "top_metrics", "flattened")
"""What a test node has no aggregation, or another type, for."""


@pytest.fixture
def cluster(stage: Stage) -> Iterator[Cluster]:
    login = api_key(secret_of(stage.key, "key"), "key")
    trust = Trust(None, "", None, None)
    made = Cluster(Target((server(stage.between.url, "--elasticsearch"),), login, trust, patience=0))
    yield made
    made.close()


def of(document: dict[str, Any], dashboard: str) -> dict[str, str]:
    """Panel → state of one dashboard."""
    return {one["panel"]: one["state"] for one in document["panels"] if one["dashboard"].endswith(dashboard)}


def test_panels_have_data_once_there_are_documents(stage: Stage, kibana: KibanaStack) -> None:
    done = stage.run("install", *options(kibana))
    assert done.code == 0, done.errors
    before = {(one["dashboard"], one["panel"]): one for one in done.document["panels"]}
    assert len(before) > 60
    assert len({name for name, _ in before}) == 5
    assert {one["state"] for one in before.values()} <= {"empty", "unknown"}
    stage.node.call(
        "POST",
        f"{STREAM}/_doc?op_type=create&refresh=true",
        {
            "@timestamp": datetime.now(timezone.utc).isoformat(),
            "data_stream": {"type": "logs", "dataset": "local_llm.proxy_access", "namespace": "default"},
            "gen_ai": {"operation": {"name": "chat"}},
            "http": {"response": {"status_code": 200}},
            "url": {"path": "/v1/chat/completions"},
        },
    )
    shown = stage.run("status", "--panels", *options(kibana))
    overview, studio = of(shown.document, "Overview"), of(shown.document, "LM Studio")
    assert overview["requests"] == "data"
    assert "data" not in studio.values()
    assert len(shown.document["panels"]) == len(before)
    unknown = {one["found"] for one in shown.document["panels"] if one["state"] == "unknown"}
    assert unknown
    assert all(any(word in reason for word in LACKS) for reason in unknown), unknown
    assert stage.run("status", *options(kibana)).document["panels"] == []
    assert stage.run("install", "--no-proof", *options(kibana)).document["panels"] == []
    assert stage.run("install", "--no-kibana").document["panels"] == []


def test_panels_of_streams_that_nobody_installed_are_empty(cluster: Cluster) -> None:
    states = Counter(one.state for one in prove_panels(cluster, boards(load())))
    assert set(states) <= {"empty", "unknown"}
    assert states["empty"] > states["unknown"]


def test_it_ends_when_its_time_is_over(stage: Stage, cluster: Cluster) -> None:
    found = list(prove_panels(cluster, boards(load()), seconds=-1))
    assert {(one.state, one.found) for one in found} == {("unknown", "not asked: the time is over")}
    assert [one for one in stage.between.seen if "_search" in one] == []


def test_it_ends_when_nobody_answers(stage: Stage, cluster: Cluster) -> None:
    stage.between.fault = lambda method, path: "cut" if "_search" in path else None
    first, *rest = prove_panels(cluster, boards(load()))
    assert (first.state, stage.between.url in first.found) == ("unknown", True)
    assert {(one.state, one.found) for one in rest} == {("unknown", "not asked: Elasticsearch did not answer")}
    assert len([one for one in stage.between.seen if "_search" in one]) == 1


def test_it_asks_for_our_data_streams_alone(stage: Stage, cluster: Cluster) -> None:
    list(prove_panels(cluster, boards(load())))
    paths = {one for one in stage.between.seen if "_search" in one}
    assert paths == {"POST /logs-local_llm.*-*/_search", "POST /metrics-local_llm.*-*/_search"}


def test_the_lines() -> None:
    shown = [
        PanelProof("[A] One", "p", "Requests", "data", "of 7 documents"),
        PanelProof("[A] One", "q", "Errors", "empty", "no documents of the last 24 h"),
        PanelProof("[A] Two", "r", "Slow", "unknown", "no such aggregation"),
        PanelProof("[A] Two", "s", "Slower", "unknown", "no such aggregation"),
    ]
    assert panel_lines(shown) == [
        "[A] One: 1 of 2 panels have data",
        "[A] Two: 0 of 2 panels have data",
        "cannot say of 2: Slow, Slower: no such aggregation",
    ]
    assert panel_lines(shown, each=True) == [
        "[A] One: 1 of 2 panels have data",
        "  data     Requests  of 7 documents",
        "  no data  Errors    no documents of the last 24 h",
        "[A] Two: 0 of 2 panels have data",
        "  unknown  Slow    no such aggregation",
        "  unknown  Slower  no such aggregation",
    ]
    assert panel_lines([]) == []
    assert panel_lines(shown[1:3]) == [
        "none of 2 panels has data yet; assets status --panels tells of each",
        "cannot say of 1: Slow: no such aggregation",
    ]
