"""Real logs of LM Studio, 2024 to 2026, through the pipeline: each event is understood, none says what users wrote.

Rules: the logs lie beside the repository and are not copied into it; without them the tests are skipped. They are put
together by the pattern that the agent is given.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node, shared
from tests.package.case import cases, entries
from tests.package.simulate import simulate

LOGS = sorted((shared() / "fixtures" / "public-logs" / "lmstudio").glob("*.log"))
PRIVATE = ("content", "reasoning_content", "input", "output", "arguments")


def strings(text: str) -> list[str]:
    """The first words of each body's string that a user or a model wrote."""
    found = re.findall(rf'"(?:{"|".join(PRIVATE)})":\s*\[?\s*"((?:[^"\\]|\\.){{12,}})"', text)
    return [one[:12] for one in found]


@pytest.fixture(scope="module")
def lmstudio() -> Stream:
    return next(stream for stream in streams(load()) if stream.name == "lmstudio")


@pytest.fixture(scope="module")
def pattern(lmstudio: Stream) -> str:
    """The agent's pattern for the first line of an event."""
    template = load().text(f"{lmstudio.path}/agent/stream/stream.yml.hbs")
    line = next(line for line in template.splitlines() if line.strip().startswith("pattern:"))
    return str(YAML(typ="safe").load(line.strip())["pattern"])


def test_the_cases_are_put_together_as_the_agent_does(lmstudio: Stream, pattern: str) -> None:
    for case in cases(lmstudio):
        assert case.config["multiline"]["first_line_pattern"] == pattern


@pytest.mark.skipif(not LOGS, reason="no ../shared/fixtures/public-logs: real logs are not tried")
@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_every_event_of_a_real_log_is_understood(path: Path, node: Node, lmstudio: Stream, pattern: str) -> None:
    text = path.read_bytes()
    messages = list(entries(text, pattern))
    documents = simulate(node, lmstudio.pipeline_id(), [{"message": message} for message in messages])
    for message, document in zip(messages, documents, strict=True):
        assert document is not None
        assert document["event"]["action"] != "unrecognised", message
        assert document["event"]["kind"] == "event", message
    written = json.dumps(documents, ensure_ascii=False)
    assert [one for one in strings(text.decode("utf-8", "replace")) if one in written] == []
