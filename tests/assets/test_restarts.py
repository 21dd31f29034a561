"""A real node is killed in the middle of an installation, or refuses by itself: run again, all is well, nothing twice.

Rules: SIGKILL, as by a power cut, once while a write is under way, once when a data stream has just rolled over. The
node comes back with its data at its address. What the broken run said is held against what is there then.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kibana_assets.elasticsearch import cluster
from kibana_assets.install.prove import samples
from kibana_assets.package import tree
from tests.assets.between import Between
from tests.assets.stage import Said, Stage
from tests.counterparts.elasticsearch import VERSIONS, chosen
from tests.counterparts.restarting import Restarting

STREAM = "logs-local_llm.proxy_access-default"
EVENT = {"@timestamp": "2026-11-21T00:00:00Z", **samples()["proxy_access"]}
BREAKER = "network.breaker.inflight_requests.limit"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a hundredth: nobody starts the node again meanwhile."""
    monkeypatch.setattr(cluster, "_PAUSES", tuple(pause / 100 for pause in cluster._PAUSES))


@pytest.fixture(params=VERSIONS)
def killed(request: pytest.FixtureRequest) -> Iterator[Restarting]:
    with Restarting(chosen(request.param)) as node:
        yield node


@pytest.fixture
def newer(small: Path, tmp_path: Path) -> Path:
    """The small package with a field more."""
    folder = shutil.copytree(small, tmp_path / "package")
    field = "- name: local_llm.newer\n  type: keyword\n  description: A field more.\n"
    (folder / "data_stream/proxy_access/fields/newer.yml").write_text(field, encoding="utf-8")
    return folder


def stage_of(node: Restarting, between: Between, folder: Path, capsys: pytest.CaptureFixture[str]) -> Stage:
    """This node has no security, and asks for no key."""
    key = folder / "key"
    key.write_text("nobody:needs-this-key")
    return Stage(node.node(), between, key, folder, capsys)


def kill_at(node: Restarting, between: Between, number: int) -> None:
    """Kill it a moment after the write of that number (from 0) was passed on."""
    writes = 0

    def fault(method: str, path: str) -> None:
        nonlocal writes
        if method in ("PUT", "POST") and path.startswith(("/_ingest", "/_component", "/_index_template")):
            writes += 1
            if writes == number + 1:
                threading.Timer(0.002, node.kill).start()

    between.fault = fault


def told(failed: Said) -> tuple[int, int]:
    """How many changes are in, of how many."""
    assert failed.code == 4, failed.errors
    assert "Running the same command again goes on from there." in failed.errors
    found = re.search(r"In are (\d+) of (\d+) changes.*; not in: \w+", failed.errors)
    assert found, failed.errors
    return int(found[1]), int(found[2])


@pytest.mark.timeout(1200)
def test_a_node_that_is_killed(
    killed: Restarting,
    small: Path,
    newer: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tree, "CHECKOUT", small)
    with Between(killed.url) as between:
        stage = stage_of(killed, between, tmp_path, capsys)
        before, wanted = stage.names(), stage.run("plan").of("create")
        number = len(wanted) // 3
        kill_at(killed, between, number)
        failed = stage.run("install", "--no-proof")
        killed.again()
        between.fault = lambda method, path: None
        done, of = told(failed)
        assert (of, number <= done <= number + 1) == (len(wanted), True)
        there = stage.names() - before
        assert there in ({*wanted[:done]}, {*wanted[: done + 1]}), "as it said, or the one that was under way"
        assert stage.run("install").code == 0
        assert stage.names() - before == set(wanted)
        assert stage.run("plan").code == 0

        stage.send(STREAM, EVENT)
        monkeypatch.setattr(tree, "CHECKOUT", newer)
        answers = iter(("cut-after",))

        def once_rolled_over(method: str, path: str) -> str | None:
            return next(answers, None) if path.endswith("/_rollover") else None

        between.fault = once_rolled_over
        failed = stage.run("install", "--no-proof")
        killed.kill()
        killed.again()
        assert told(failed)[0] < told(failed)[1]
        assert stage.run("install").code == 0
        assert stage.run("plan").code == 0
        [found] = stage.node.call("GET", f"_data_stream/{STREAM}")["data_streams"]
        assert (found["generation"], len(found["indices"])) == (2, 2), "it rolled over once"
        assert stage.node.call("GET", f"{STREAM}/_count")["count"] == 1


def test_a_circuit_breaker(stage: Stage) -> None:
    stage.node.call("PUT", "_cluster/settings", {"persistent": {BREAKER: "3kb"}})
    try:
        failed = stage.run("install")
    finally:
        stage.node.call("PUT", "_cluster/settings", {"persistent": {BREAKER: None}})
    assert failed.code == 7
    assert "Elasticsearch answered 429" in failed.errors
    assert "Data too large" in failed.errors
    assert "wait a minute and run the same command again" in failed.errors
    assert stage.run("install", "--no-proof").code == 0
    assert stage.run("plan").code == 0


def test_the_flood_stage_of_a_data_stream(stage: Stage, newer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stage.run("install", "--no-proof").code == 0
    stage.send(STREAM, EVENT)
    monkeypatch.setattr(tree, "CHECKOUT", newer)
    stage.node.call("PUT", f"{STREAM}/_settings", {"index.blocks.read_only_allow_delete": True})
    done = stage.run("install", "--lifecycle", "stream")
    assert (done.code, all(proof["ok"] for proof in done.document["proofs"])) == (0, True), "it blocks documents alone"
    stage.node.call("PUT", f"{STREAM}/_settings", {"index.blocks.read_only_allow_delete": None})
    assert stage.run("plan", "--lifecycle", "stream").code == 0
    [found] = stage.node.call("GET", f"_data_stream/{STREAM}")["data_streams"]
    assert (found["generation"], stage.node.call("GET", f"{STREAM}/_count")["count"]) == (2, 1)
