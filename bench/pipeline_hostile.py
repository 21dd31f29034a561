"""What the dearest lines cost: a megabyte of what a pattern or a loop could take long for, each by each pipeline.

The figure is the pipeline's own time, as the node counts it: what it takes to read a megabyte of JSON from a request
is not ours. Of several runs the shortest counts, for it is the one that nothing came between; the dearest get more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from bench.table import Row
from kibana_assets.package.streams import Stream
from tests.counterparts.elasticsearch import Node

MEGABYTE: Final = 1 << 20
_MOST_MS: Final = 5.0
_RUNS: Final = 5
_COPIES: Final = 3
_AGAIN: Final = 8
_INDEX: Final = "bench-hostile"
# Repeated to a megabyte. First those that patterns for secrets begin at, then brackets, quotes, separators.
_REPEATED: Final = (
    *("a", "cookie", "api_key", "secret_-", "password    :    ", "bearer ", "bearer%20", "token", " sk-aaaaaaaa"),
    *("?key", "&keykeykey", "?a=b&", 'http script "', f"{'a' * 39}.", "0", "\n", "x\n", "\t", "\0", "\\", '"', ' "x"'),
    *(
        "[",
        "[ ",
        "]",
        "{",
        '{"a":',
        "(",
        ":",
        ",",
        " a=b",
        "time:x\ta:b\t",
        ', client: "',
        '", upstream: "',
        "\x1b[31mx",
    ),
)
# What stands before it, so that more of a pipeline reads it.
_BEFORE: Final = {
    "proxy_access": ('10.0.0.7 - - [21/Nov/2026:00:50:30 +0000] "GET /v1/models?', '{"epoch":1,"path":"/'),
    "proxy_error": ('2026/11/21 00:50:30 [error] 71#71: *23 x, client: 10.0.0.7, server: x, request: "',),
    "lmstudio": ("[2026-11-21 00:50:30][INFO][LM STUDIO SERVER] ", "[2026-11-21 00:50:30][DEBUG] "),
    "vllm": ("INFO 11-21 00:50:30 [core.py:58] ", "(EngineCore_DP0 pid=71) ERROR 11-21 00:50:30 [core.py:58] "),
    "audit": ('{"event":{"action":"',),
}
_FIXED: Final = {"10,000 blanks": " " * 10_000, "blanks inside": f"x{' ' * 10_000}x"}


def worst(node: Node, streams: Iterable[Stream]) -> Iterator[Row]:
    """A row for each log's pipeline that ``node`` has, and one for LM Studio's body of a megabyte."""
    settings = {"index": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}}
    node.call("DELETE", f"{_INDEX}?ignore_unavailable=true")
    node.call("PUT", _INDEX, {"settings": settings, "mappings": {"enabled": False}})
    for stream in streams:
        if stream.type != "logs":
            continue
        texts = dict(_texts(stream))
        costs = {name: _milliseconds(node, stream, text) for name, text in texts.items()}
        for name in sorted(costs, key=costs.__getitem__)[-_AGAIN:]:
            costs[name] = min(costs[name], *(_milliseconds(node, stream, texts[name]) for _ in range(3)))
        if stream.name == "lmstudio":
            body = {name: costs.pop(name) for name in list(costs) if name.startswith("body")}
            yield _row("LM Studio, a body of 1 MB", body)
        yield _row(f"{stream.name}, the dearest of {len(costs)} lines of 1 MB", costs)
    node.call("DELETE", _INDEX)


def _row(what: str, costs: dict[str, float]) -> Row:
    dearest = sorted(costs, key=costs.__getitem__, reverse=True)
    detail = ", ".join(f"{name} {costs[name]:.1f} ms" for name in dearest[:4])
    return Row(what, costs[dearest[0]], "at most", _MOST_MS, " ms", detail=detail)


def _texts(stream: Stream) -> Iterator[tuple[str, str]]:
    yield from _FIXED.items()
    for unit in _REPEATED:
        text = (unit * (MEGABYTE // len(unit) + 1))[:MEGABYTE]
        for number, before in enumerate(("", *_BEFORE.get(stream.name, ()))):
            yield f"{number or ''}{unit[:12]!r}", before + text
    if stream.name == "lmstudio":
        yield from _bodies()


def _bodies() -> Iterator[tuple[str, str]]:
    """A request, its answer and both as the log stream has them, each with a long text in many short lines."""
    text = 'Lorem ipsum "dolor" sit amet,\n' * (MEGABYTE // 32)
    request = {"model": "tiny", "messages": [{"role": "user", "content": text}], "max_tokens": 5, "stream": True}
    written = json.dumps(request, indent=2)
    head = "[2026-11-21 00:50:30][INFO]"
    yield "body of a request", f"{head} Received request: POST to /v1/chat/completions with body {written}"
    yield "body of an answer", f"{head}[tiny] Generated prediction: {written}"
    event = {"type": "llm.prediction.input", "modelIdentifier": "tiny", "input": text}
    yield "body in the log stream", json.dumps({"timestamp": 1795222230123, "data": event}, separators=(",", ":"))


def _milliseconds(node: Node, stream: Stream, text: str) -> float:
    name = stream.pipeline_id()
    lines: list[object] = [{"create": {}}, {"message": text}] * _COPIES
    took = []
    for _ in range(_RUNS):
        before = _spent(node, name)
        answer = node.call("POST", f"{_INDEX}/_bulk?pipeline={name}&filter_path=errors,items.*.error", lines)
        assert not answer["errors"], json.dumps(answer)[:2000]
        took.append((_spent(node, name) - before) / _COPIES)
    return min(took)


def _spent(node: Node, pipeline: str) -> int:
    """Milliseconds that the pipeline has taken so far, those that it calls included."""
    path = "_nodes/_local/stats/ingest?filter_path=nodes.*.ingest.pipelines.*.time_in_millis"
    nodes = node.call("GET", path)["nodes"]
    return sum(one["ingest"]["pipelines"][pipeline]["time_in_millis"] for one in nodes.values())
