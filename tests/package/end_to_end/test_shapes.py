"""Files of every shape through the whole way: the shipper's parsers, bulk, pipeline and mapping make the documents that
the pipeline tests expect."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node, shared
from tests.counterparts.filestream import Settings
from tests.counterparts.shipper import Input, Said, Shipper
from tests.package.case import Case, cases
from tests.package.end_to_end import agent
from tests.package.end_to_end.run import prepare
from tests.package.simulate import simulate, without_dynamic
from tests.package.vllm_events import docker, events, vllm

STREAMS = [stream for stream in streams(load()) if stream.manifest["streams"][0]["input"] == "filestream"]
# Lines that are no events of Nginx go on the line before them in a file; as tests they stand for themselves.
ALONE = {("proxy_error", "test-hostile.log")}
CASES = [
    case
    for stream in STREAMS
    for case in cases(stream)
    if case.path.suffix == ".log" and (stream.name, case.path.name) not in ALONE
]
LOGS = sorted((shared() / "fixtures" / "vllm").glob("*.log"))
READ = "2026-11-22T00:00:00.000Z"
# What the agent adds, and the pipelines leave alone.
AGENTS = ("agent", "input", "host", "data_stream", "stream")


def shipped(node: Node, folder: Path, stream: Stream, settings: Settings, said: Said) -> list[dict[str, Any]]:
    """The documents of what ``settings`` reads, in the order of the file."""
    recorded = prepare(node, [stream])
    name = recorded.data_streams[stream.name]
    shipper = Shipper(node.url, [Input(settings, name, stream.dataset)], folder / "registry.json", said=said)
    while shipper.turn():
        pass
    assert shipper.refused == []
    node.call("POST", f"{name}/_refresh")
    found = sorted(recorded.documents(stream.name), key=lambda document: int(document["log"]["offset"]))
    node.call("DELETE", f"_data_stream/{name}")
    return found


def said(time: str, zone: str) -> Said:
    """A machine on which it is always ``time``, and on which an hour passes between two looks at the clock."""
    ticks = iter(range(0, 10**9, 3600))
    return Said(lambda: datetime.fromisoformat(time.replace("Z", "+00:00")), zone, lambda: next(ticks))


def bare(document: dict[str, Any], *, zone: bool) -> dict[str, Any]:
    """Without what the agent adds; a run of broken bytes as one, as the tests' own reader makes it."""
    made: dict[str, Any] = json.loads(re.sub("(\\\\ufffd)+", r"\\ufffd", json.dumps(document)))
    made = {key: value for key, value in made.items() if key not in AGENTS}
    made["event"] = {k: v for k, v in made["event"].items() if k != "dataset" and (zone or k != "timezone")}
    made["log"] = {k: v for k, v in made.get("log", {}).items() if k not in ("file", "offset", "flags")}
    return {key: value for key, value in made.items() if value not in ([], {})}


def compare(found: Iterable[dict[str, Any]], expected: Iterable[dict[str, Any]], *, zone: bool) -> None:
    assert [bare(one, zone=zone) for one in found] == [bare(one, zone=zone) for one in expected]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.stream.name}-{case.path.name}")
def test_a_file_becomes_the_documents_of_its_test(case: Case, node: Node, modules: Path, tmp_path: Path) -> None:
    config = case.config.get("fields", {})
    values: dict[str, Any] = {"paths": [f"{tmp_path}/*.log"], "tags": []}
    if config.get("tags"):
        values |= dict.fromkeys(config["tags"], True)
    settings = agent.settings(modules, [(case.stream, values)])[case.stream.name]
    (tmp_path / "a.log").write_bytes(case.path.read_bytes())
    machine = said(config.get("@timestamp", READ), config.get("event.timezone", "+00:00"))
    made = shipped(node, tmp_path, case.stream, settings, machine)
    expected = [
        document
        for event, document in zip(case.events(), case.expected(), strict=True)
        if document and event["message"]
    ]
    stored, wanted = (without_dynamic(case, list(documents)) for documents in (made, expected))
    compare(_there(stored), _there(wanted), zone="event.timezone" in config)


@pytest.mark.skipif(not LOGS, reason="no ../shared/fixtures: real logs of vLLM are not shipped")
@pytest.mark.parametrize("containers", [False, True], ids=["file", "docker"])
@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_log_of_vllm(path: Path, containers: bool, node: Node, modules: Path, tmp_path: Path) -> None:
    stream = vllm()
    values = {"paths": [f"{tmp_path}/*.log"], "tags": [], "containers": containers}
    settings = agent.settings(modules, [(stream, values)])[stream.name]
    # The last line of a process that was killed has no end, for which the agent waits.
    whole = path.read_bytes().rstrip(b"\n")
    data = whole + b"\n"
    if containers:
        data = b"".join(piece + b"\n" for line in data.decode().splitlines() for piece in docker(line))
    (tmp_path / "a.log").write_bytes(data)
    found = shipped(node, tmp_path, stream, settings, said(READ, "+00:00"))
    asked = [{"message": one, "@timestamp": READ} for one in events(whole)]
    expected = _there(simulate(node, stream.pipeline_id(), asked))
    if not containers:
        compare(found, expected, zone=False)
    # A container's lines have a time of their own; what happened is the same.
    assert [one["event"]["action"] for one in found] == [one["event"]["action"] for one in expected]


def _there(documents: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    return [document for document in documents if document is not None]
