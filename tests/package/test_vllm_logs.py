"""Real logs of vLLM, recorded and public, as the agent puts them together: what is a line of vLLM's is understood.

Rules: the logs lie beside the repository; without them their tests are skipped. Public ones are not copied into it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.counterparts.elasticsearch import Node, shared
from tests.package.case import cases
from tests.package.simulate import simulate
from tests.package.vllm_events import docker, events, podman, shipped, vllm

FIXTURES = shared() / "fixtures"
LOGS = sorted([*(FIXTURES / "vllm").glob("*.log"), *(FIXTURES / "public-logs" / "vllm").glob("*.log")])
STREAM = vllm()
HEAD = re.compile(
    r"(?m)^(?:\x1b\[[\d;]*m)*(?:\([^()]*pid=\d+[^()]*\)(?:\x1b\[[\d;]*m)* )*(DEBUG|INFO|WARNING|ERROR) \d\d-"
)
ACCESS = re.compile(r'INFO:     \S+ - "(\S+) (\S+) HTTP/1\.[01]" (\d{3})')
READ = "2026-11-22T00:00:00.000Z"

real_logs = pytest.mark.skipif(not LOGS, reason="no ../shared/fixtures: real logs of vLLM are not tried")
each_log = pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)


def documents(node: Node, messages: list[str]) -> list[dict[str, Any]]:
    """What the pipeline makes of each; none is dropped, none fails."""
    if not messages:
        return []
    made = simulate(node, STREAM.pipeline_id(), [{"message": one, "@timestamp": READ} for one in messages])
    found = [document for document in made if document is not None]
    assert len(found) == len(messages)
    for message, document in zip(messages, found, strict=True):
        assert document["event"]["kind"] != "pipeline_error", f"{message}\n{document['error']}"
        assert document["message"]
    return found


def joined(*lines: str) -> list[str]:
    """The events that the agent makes of lines."""
    return events("\n".join(lines).encode())


@real_logs
@each_log
def test_every_line_is_in_one_event(path: Path) -> None:
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")
    together = "\n".join(events(path.read_bytes())).split("\n")
    bare = [line.removesuffix("\r") for line in lines if line.strip()]
    assert [line for line in together if line.strip()] == bare


@real_logs
@each_log
def test_every_head_of_a_real_log_is_read(path: Path, node: Node) -> None:
    messages = events(path.read_bytes())
    for message, document in zip(messages, documents(node, messages), strict=True):
        head = HEAD.match(message.lstrip("\n"))
        if head:
            assert document["local_llm"]["vllm"]["source"] == "vllm", message
            assert document["@timestamp"] != READ, message
            assert document["log"]["logger"].endswith(".py"), message
            assert document["log"]["level"][:4] == head[1].lower()[:4], message
        assert "unrecognised" not in document["event"]["action"]


@real_logs
@each_log
def test_every_access_line_of_a_real_log_is_counted(path: Path, node: Node) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    expected = [(method, path_, int(status)) for method, path_, status in ACCESS.findall(text)]
    found = [
        (one["http"]["request"]["method"], one["url"]["path"], one["http"]["response"]["status_code"])
        for one in documents(node, events(path.read_bytes()))
        if one["event"]["action"] == "request"
    ]
    assert found == expected


@real_logs
@each_log
def test_every_statistics_line_gives_numbers(path: Path, node: Node) -> None:
    messages = [message for message in events(path.read_bytes()) if "throughput: " in message]
    for document in documents(node, messages):
        stats = document["local_llm"]["vllm"]["stats"]
        assert {"prompt_throughput", "generation_throughput", "running"} <= set(stats) or "spec_decode" in stats
        assert all(0 <= value <= 1 for key, value in stats.items() if key.endswith(("usage", "rate")))


@real_logs
@each_log
def test_every_traceback_is_one_event_with_its_exception(path: Path, node: Node) -> None:
    messages = events(path.read_bytes())
    for message, document in zip(messages, documents(node, messages), strict=True):
        if re.search(r"^\S*Error\b", message):
            assert "Traceback" in message
        if "Traceback (most recent call last)" in message:
            assert document["log"]["level"] == "error", message
            assert 'File "' in document["error"]["stack_trace"], message


@real_logs
@each_log
def test_no_prompt_of_a_real_log_comes_through(path: Path, node: Node) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    prompts = re.findall(r"prompt: ['\"](.{8,60}?)(?:['\"], |\\n|.$)", text)
    written = json.dumps(documents(node, events(path.read_bytes())), ensure_ascii=False)
    assert [one for one in prompts if one in written] == []


def test_a_record_of_many_lines_is_one_event() -> None:
    for prefix in ("", "(EngineCore pid=4) ", "\x1b[1;36m(EngineCore_DP0 pid=4)\x1b[0;0m "):
        head = f"{prefix}ERROR 02-23 09:06:43 [core.py:718] "
        lines = [
            f"{head}EngineCore failed to start.",
            f"{head}Traceback (most recent call last):",
            f'{head}  File "/a/core.py", line 709, in run',
            f"{head}    x()",
            f"{head}torch.cuda.OutOfMemoryError: CUDA error",
            f"{head}",
            f"{head}During handling of the above exception, another exception occurred:",
            f"{head}",
            f"{head}Traceback (most recent call last):",
            f"{head}ray.exceptions.RayTaskError(ValueError): no",
        ]
        other = f'{prefix}INFO:     127.0.0.1:1 - "GET /health HTTP/1.1" 200 OK'
        assert joined(other, *lines, other) == [other, "\n".join(lines), other]


def test_a_raw_traceback_is_not_part_of_the_line_before() -> None:
    trace = ["Traceback (most recent call last):", '  File "/a.py", line 1, in <module>', "KeyError: 'a'"]
    chained = [*trace, "", "During handling of the above exception, another exception occurred:", "", *trace]
    before = "INFO 02-23 09:06:43 [core.py:718] Downcasting torch.float32 to torch.bfloat16."
    assert joined(before, *trace, before) == [before, "\n".join(trace), before]
    assert [bare(one) for one in joined(before, *chained, before)] == [[before], bare("\n".join(chained)), [before]]
    announced = ["ERROR:    Exception in ASGI application", *trace]
    assert joined(before, *announced, before) == [before, "\n".join(announced), before]
    process = ["(EngineCore pid=4) Process EngineCore_DP0:", *(f"(EngineCore pid=4) {line}" for line in trace)]
    assert joined(before, *process, before) == [before, "\n".join(process), before]


def test_lines_that_stand_alone_stay_alone() -> None:
    lines = [
        "(APIServer pid=1) INFO 11-21 00:44:05 [model.py:733] Resolved architecture: LlamaForCausalLM",
        "INFO:     Started server process [1]",
        "\rLoading safetensors checkpoint shards: 100% Completed | 1/1 [00:00<00:00, 97.69it/s]",
        "[rank0]:[W915 22:14:13.375185400 ProcessGroupNCCL.cpp:1476] Warning: hello",
        "Warning: You are sending unauthenticated requests to the HF Hub.",
        '{"asctime": "2026-11-20 00:44:05,123", "levelname": "INFO", "message": "x"}',
        "2025-07-31 19:35:00,009\tINFO worker.py:1723 -- Connecting",
        "vllm-1  | (APIServer pid=1) INFO 11-21 00:44:05 [model.py:733] Resolved",
    ]
    assert joined(*lines) == lines


@real_logs
@each_log
@pytest.mark.parametrize("kept", [docker, podman])
def test_a_container_gives_the_same_events(path: Path, kept: Callable[[str], list[bytes]]) -> None:
    data = path.read_bytes()
    plain = events(data)
    lines = [piece for line in data.decode("utf-8", "replace").removesuffix("\n").split("\n") for piece in kept(line)]
    found = shipped(lines, containers=True)
    assert [bare(line.content.decode()) for line in found] == [bare(message) for message in plain]
    assert {line.stream for line in found} <= {"stdout", "stderr"}


def bare(message: str) -> list[str]:
    """The lines of an event that are not blank, without their ends: Docker's are a line apart."""
    return [line.rstrip("\r") for line in message.split("\n") if line.strip()]


def test_a_container_says_the_time(node: Node) -> None:
    """The carriage returns of vLLM's own lines come through, lines are two line breaks apart."""
    head = "(EngineCore pid=4) ERROR 11-21 00:44:05 [core.py:718] "
    trace = [
        "EngineCore failed to start.\r",
        "Traceback (most recent call last):\r",
        "ValueError: Free memory on device",
    ]
    lines = [piece for line in trace for piece in docker(head + line)]
    (event,) = shipped(lines, containers=True)
    made = simulate(
        node,
        STREAM.pipeline_id(),
        [{"message": event.content.decode(), "@timestamp": event.time, "stream": event.stream}],
    )[0]
    assert made is not None
    assert made["@timestamp"] == "2026-11-21T07:44:05.123Z"
    assert made["message"] == "EngineCore failed to start."
    assert made["error"]["code"] == "insufficient_gpu_memory"
    assert made["local_llm"]["vllm"]["stream"] == "stderr"


def test_the_cases_cover_the_versions() -> None:
    names = {case.path.stem.removeprefix("test-") for case in cases(STREAM)}
    assert {"0-4", "0-8", "0-9", "0-11", "0-14", "0-25", "sample-0-32", "json", "hostile"} <= names
