"""Busy, cut, read-only, restarting: an installation goes on, or says how far it came, and the next run ends it."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kibana_assets.elasticsearch import cluster
from kibana_assets.package import tree
from tests.assets.stage import Stage

READ_ONLY = {"persistent": {"cluster.blocks.read_only": True}}
WRITABLE = {"persistent": {"cluster.blocks.read_only": None}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a hundredth."""
    monkeypatch.setattr(cluster, "_PAUSES", tuple(pause / 100 for pause in cluster._PAUSES))


def test_what_passes_is_waited_for(stage: Stage) -> None:
    faults: Iterator[int | str | None] = itertools.cycle([None, 429, 503, None, "cut", None, "cut-after", 502])
    stage.between.fault = lambda method, path: next(faults) if path != "/" else None
    done = stage.run("install", "--no-proof")
    assert (done.code, done.errors) == (0, "")
    stage.between.fault = lambda method, path: None
    assert stage.run("plan").code == 0


@pytest.mark.parametrize("fault", [503, "cut"])
def test_a_failure_in_the_middle_says_what_is_in(stage: Stage, fault: int | str) -> None:
    puts = itertools.count()
    stage.between.fault = lambda method, path: fault if method == "PUT" and next(puts) >= 5 else None
    failed = stage.run("install")
    assert failed.code == (7 if fault == 503 else 4)
    assert "In are 5 of " in failed.errors
    assert "ingest_pipeline logs-local_llm.audit-" in failed.errors
    assert "; not in: " in failed.errors
    assert "Running the same command again goes on from there." in failed.errors
    assert len([name for name in stage.names() if "local_llm" in name]) == 5
    stage.between.fault = lambda method, path: None
    done = stage.run("install", "--no-proof")
    assert (done.code, len(done.of("keep"))) == (0, 5)
    assert stage.run("plan").code == 0


def test_a_rollover_is_not_done_twice(
    stage: Stage, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run("install", "--no-proof")
    stream = "logs-local_llm.audit-default"
    stage.node.call("PUT", f"_data_stream/{stream}")
    newer = shutil.copytree(small, tmp_path / "package")
    field = "- name: local_llm.newer\n  type: keyword\n  description: A field more.\n"
    (newer / "data_stream/audit/fields/newer.yml").write_text(field, encoding="utf-8")
    monkeypatch.setattr(tree, "CHECKOUT", newer)
    stage.between.once("cut-after", "POST", "_rollover")
    failed = stage.run("install", "--no-proof")
    assert failed.code == 4
    assert f"not in: data_stream {stream}" in failed.errors
    done = stage.run("install", "--no-proof")
    assert (done.code, done.of("update", "create", "remove")) == (0, [])
    [found] = stage.node.call("GET", f"_data_stream/{stream}")["data_streams"]
    assert found["generation"] == 2


def test_a_read_only_cluster(stage: Stage) -> None:
    stage.node.call("PUT", "_cluster/settings", READ_ONLY)
    try:
        failed = stage.run("install")
    finally:
        stage.node.call("PUT", "_cluster/settings", WRITABLE)
    assert failed.code == 7
    assert "In are 0 of" in failed.errors
    assert "Free disk space on the nodes" in failed.errors
    assert stage.run("install", "--no-proof").code == 0


def test_an_answer_that_never_comes(stage: Stage) -> None:
    stage.between.fault = lambda method, path: "slow" if method == "PUT" else None
    begun = time.monotonic()
    failed = stage.run("install", "--timeout", "1")
    assert failed.code == 4
    assert "no answer in time" in failed.errors
    assert time.monotonic() - begun < 25
    stage.between.fault = lambda method, path: None
    assert stage.run("install", "--no-proof").code == 0


def test_an_uninstallation_in_the_middle(stage: Stage) -> None:
    before = stage.names()
    stage.run("install", "--no-proof")
    gone = itertools.count()
    stage.between.fault = lambda method, path: "cut" if method == "DELETE" and next(gone) >= 7 else None
    failed = stage.run("uninstall")
    assert failed.code == 4
    assert "In are 7 of" in failed.errors
    stage.between.fault = lambda method, path: None
    assert (stage.run("uninstall").code, stage.names()) == (0, before)
