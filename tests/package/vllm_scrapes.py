"""``python -m tests.package.vllm_scrapes``: writes the events of the tests of ``vllm_metrics`` from real answers.

Rules: ``test-<name>.json`` has the second scrape of a server that had done nothing at the first; the collector keeps
what the agent's template lets through.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import CHECKOUT, load
from tests.counterparts.elasticsearch import Node
from tests.package.prometheus_collector import Collector, at_start
from tests.package.simulate import Document, simulate

DATA = Path(__file__).parent / "data"
FIRST, SECOND = "2026-11-21T10:00:00.000Z", "2026-11-21T10:00:10.000Z"
VERSIONS = {"sample-0-32": "0.32", "names-0-9-v0": "0.9-v0", "names-0-9": "0.9", "names-0-11": "0.11"}


def stream() -> Stream:
    """The data stream of these tests."""
    return next(one for one in streams(load()) if one.name == "vllm_metrics")


def answer(version: str) -> str:
    """What vLLM of a version says."""
    return (DATA / f"vllm-metrics-{version}.prom").read_text(encoding="utf-8")


def filters() -> tuple[str, ...]:
    """The patterns of ``metrics_filters.include`` in the agent's template."""
    template = load().text("data_stream/vllm_metrics/agent/stream/stream.yml.hbs")
    return tuple(re.findall(r"^    - '(.*)'$", template, re.MULTILINE))


def second_scrape(version: str) -> list[dict[str, Any]]:
    """The events of the second scrape of ``version``, whose address nobody else has."""
    collector = Collector(f"http://{'localhost' if version == '0.32' else 'vllm-' + version}:8000/metrics", filters())
    collector.scrape(at_start(answer(version)), FIRST)
    return collector.scrape(answer(version), SECOND)


def documents(node: Node, events: list[Document]) -> list[Document]:
    """What the pipeline makes of the events; none is dropped."""
    made = simulate(node, stream().pipeline_id(), events, stream().data_stream())
    assert None not in made
    return [one for one in made if one]


def cases() -> dict[Path, str]:
    """The files and what is to be in them; that of a failed scrape too."""
    made = {name: second_scrape(version) for name, version in VERSIONS.items()}
    made["failed"] = Collector(url="http://gpu1:8000/metrics?api_key=s3cr3t").failed(SECOND)
    folder = CHECKOUT / "data_stream" / "vllm_metrics" / "_dev" / "test" / "pipeline"
    return {folder / f"test-{name}.json": json.dumps({"events": one}, indent=1) + "\n" for name, one in made.items()}


if __name__ == "__main__":
    for path, text in cases().items():
        path.write_text(text, encoding="utf-8")
