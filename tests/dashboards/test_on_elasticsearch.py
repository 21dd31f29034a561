"""Every panel's search is taken by real nodes of both versions, and what it gives is what the documents say.

Rules: what the test nodes lack (their README) is put another way here: multi_terms becomes terms of the first field,
top_metrics the newest document. Histograms are stored there, not indexed: their panels have no numbers.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from kibana_assets.check.board import Board
from kibana_assets.check.board import board as taken_apart
from kibana_assets.dashboards.objects import dashboards, objects
from kibana_assets.dashboards.queries import Search, searches
from kibana_assets.dashboards.results import Row, rows
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import VERSIONS, Node, Nodes, chosen
from tests.dashboards.stored import WINDOW, stored

Json = dict[str, Any]
BOARDS = {one["id"]: taken_apart(one) for one in objects(dashboards(load())) if one["type"] == "dashboard"}


@pytest.fixture(scope="module", params=VERSIONS)
def there(request: pytest.FixtureRequest, elasticsearch: Nodes) -> Iterator[tuple[Node, dict[str, list[Json]]]]:
    node = elasticsearch.get(chosen(request.param))
    with stored(node, f"test{secrets.token_hex(4)}") as documents:
        yield node, documents


def substituted(aggs: Any) -> Any:
    """Without what the test nodes lack."""
    if isinstance(aggs, list):
        return [substituted(one) for one in aggs]
    if not isinstance(aggs, dict):
        return aggs
    made = {}
    for key, value in aggs.items():
        if key == "multi_terms":
            made["terms"] = {**value["terms"][0], **{name: one for name, one in value.items() if name != "terms"}}
        elif key == "top_metrics":
            made["top_hits"] = {"size": 1, "sort": [value["sort"]], "docvalue_fields": [value["metrics"]["field"]]}
        else:
            made[key] = substituted(value)
    return made


def ask(node: Node, search: Search) -> Json:
    body = {**search.body, "aggs": substituted(search.body["aggs"])}
    answer: Json = node.call("POST", f"{search.index}/_search?ignore_unavailable=true", body)
    assert answer["_shards"]["failed"] == 0, answer["_shards"]
    return answer


def shown(node: Node, board: Board, name: str) -> list[Row]:
    """The rows of a panel."""
    search = next(one for one in searches(board, WINDOW) if one.panel == name)
    panel = next(one for one in board.panels if one.id == name)
    return rows(panel.layers[0], ask(node, search), WINDOW)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", BOARDS)
def test_every_search_is_taken(name: str, there: tuple[Node, dict[str, list[Json]]]) -> None:
    for search in searches(BOARDS[name], WINDOW):
        ask(there[0], search)


@pytest.mark.timeout(1200)
def test_tiles_tables_and_charts_count_what_is_there(there: tuple[Node, dict[str, list[Json]]]) -> None:
    node, documents = there
    proxy = documents["local_llm.proxy_access"]
    board = BOARDS["local_llm-proxy"]
    failed = [one for one in proxy if one.get("http", {}).get("response", {}).get("status_code", 0) >= 500]
    assert failed
    assert shown(node, board, "requests")[0]["m0"] == len(proxy)
    assert shown(node, board, "server-errors")[0]["m0"] == pytest.approx(len(failed) / len(proxy))
    most = Counter(_status(one) for one in proxy if _status(one)).most_common(12)
    assert sum(row["m0"] for row in shown(node, board, "volume")) == sum(number for _, number in most)
    by_status = {row["by0"]: row["m0"] for row in shown(node, board, "statuses") if row["m0"]}
    assert by_status["401 no valid token"] <= sum(1 for one in proxy if _status(one) == 401)
    tokens = {row["by0"]: row["m0"] for row in shown(node, board, "tokens")}
    labels = [one["local_llm"]["token"]["label"] for one in proxy if "token" in one.get("local_llm", {})]
    assert tokens == {label: labels.count(label) for label in labels}


@pytest.mark.timeout(1200)
def test_lm_studio_is_counted_by_what_happened(there: tuple[Node, dict[str, list[Json]]]) -> None:
    node, documents = there
    events = documents["local_llm.lmstudio"]
    board = BOARDS["local_llm-lmstudio"]
    received = [one for one in events if one["event"].get("action") == "request-received"]
    assert shown(node, board, "requests")[0]["m0"] == len(received) > 0
    out = sum(one.get("gen_ai", {}).get("usage", {}).get("output_tokens", 0) for one in events)
    assert shown(node, board, "tokens")[0]["m0"] == out > 0
    loads = {row["by0"]: row["m0"] for row in shown(node, board, "loads") if row["m0"]}
    assert loads["failed"] == sum(1 for one in events if one["event"].get("action") == "model-load-failed")


def _status(document: Json) -> int:
    return int(document.get("http", {}).get("response", {}).get("status_code", 0))
