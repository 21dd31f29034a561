"""What LM Studio's log has beyond requests and answers, in its own form; and what its stand-in wrote of the calls."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.dashboards.panels.diary import Call, Diary, Event
from tests.package.end_to_end.site import MODELS

FIRST, SECOND = MODELS
USAGE: Final = (9, 2)
"""Tokens of prompt and answer that the stand-in tells of every chat."""
# Tokens of prompt and answer, tokens a second, seconds to the first.
SPEEDS: Final = ((FIRST, 120, 40, 20.0, 0.4), (FIRST, 130, 60, 24.0, 0.5), (FIRST, 700, 200, 22.0, 0.8),
                 (SECOND, 90, 30, 50.0, 0.2), (SECOND, 110, 20, 54.0, 0.3))  # fmt: skip
PLUGIN: Final = "mcp/time"
_OVERFLOW: Final = (
    "[ERROR][LM STUDIO SERVER] Trying to keep the first 5120 tokens when context the overflows. However, the model is "
    "loaded with context length of only 4096 tokens, which is not enough."
)
# Line, what it means, of which model or plugin, whether a failure of the server.
_LINES: Final = (
    (f'[INFO][JIT] Requested model ({FIRST}) is not loaded. Loading "x" now...', "load-wanted", FIRST, False),
    (f'[INFO][JIT] Requested model ({FIRST}) is not loaded. Loading "x" now...', "load-wanted", FIRST, False),
    (f"[INFO][LM STUDIO SERVER] Model loaded: {FIRST}", "loaded", FIRST, False),
    (f"[INFO][LM STUDIO SERVER] Model loaded: {SECOND}", "loaded", SECOND, False),
    (f"[INFO][LM STUDIO SERVER] Model unloaded: {FIRST}", "unloaded", FIRST, False),
    (f"[ERROR][{SECOND}] Failed to load the model", "load-failed", SECOND, True),
    ("[ERROR] The model has crashed without additional information. (Exit code: 6)", "crashed", "", True),
    ("[ERROR] Engine protocol runtime exited. (Exit code: 1)", "engine-exited", "", True),
    ("[INFO][LM STUDIO SERVER] Client disconnected. Stopping generation...", "client-left", "", False),
    ("[INFO][LM STUDIO SERVER] Client disconnected. Stopping generation...", "client-left", "", False),
    (_OVERFLOW, "overflow", "", True),
    (f"[ERROR][{FIRST}] Generation failed: no", "generation-failed", FIRST, True),
    ("[INFO] Returning embeddings (not shown in logs)", "embeddings", "", False),
    ("[DEBUG] Received request: POST to /v1/embeddings with body [Sensitive]", "received", "", False),
    ("[ERROR] Unexpected endpoint or method. (GET /api/tags). Returning 200 anyway", "unknown", "", False),
    (f"[ERROR][Plugin({PLUGIN})] stderr: hello", "plugin-said", PLUGIN, False),
    (f"[ERROR][Plugin({PLUGIN})] stderr: [MCPBridge/unexpected] Bridge process failed: spawn x ENOENT",
     "plugin-failed", PLUGIN, True),
)  # fmt: skip


def written(diary: Diary, home: Path) -> None:
    """Append the lines to the stand-in's log, and note what stands in it."""
    (path,) = (home / "server-logs").glob("*/*.log")
    with path.open("a", encoding="utf-8") as log:
        for text, what, of, bad in _LINES:
            _line(log.write, text)
            diary.studio.append(Event(time.time(), what, of, bad, facts=_facts(what)))
        for model, read, made, speed, first in SPEEDS:
            answer: dict[str, Any] = {"id": "x", "object": "chat.completion", "model": model, "choices": []}
            answer["usage"] = {"prompt_tokens": read, "completion_tokens": made, "total_tokens": read + made}
            answer["stats"] = {"tokens_per_second": speed, "time_to_first_token": first}
            _line(log.write, f"[INFO][{model}] Generated prediction: {json.dumps(answer, indent=2)}")
            facts = {"in": read, "out": made, "speed": speed, "first": first}
            diary.studio.append(Event(time.time(), "predicted", model, facts=facts))
    diary.studio.append(Event(time.time(), "server-started"))
    for one in diary.calls:
        if one.proxy == "lmstudio" and one.status != 502:
            diary.studio += _of_a_call(one)


def _line(write: Callable[[str], object], text: str) -> None:
    level, rest = text.split("]", 1)
    write(f"[{datetime.now():%Y-%m-%d %H:%M:%S}]{level}]{rest}\n")


def _facts(what: str) -> dict[str, str]:
    paths = {"received": ("/v1/embeddings", "POST"), "unknown": ("/api/tags", "GET")}
    return dict(zip(("path", "method"), paths[what], strict=True)) if what in paths else {}


def _of_a_call(call: Call) -> list[Event]:
    """What the stand-in (tests/counterparts/lms_server.py) writes of a call that reached it."""
    at = call.began
    if call.path == "/v1/models":
        return [Event(at, "listed")]
    received = Event(at, "received", call.model, facts={"path": call.path, "method": "POST"})
    if call.status == 404:
        return [received, Event(at, "no-model", "", True)]
    run = [received, Event(at, "running", call.model)]
    if call.agent.startswith("OpenAI"):
        read, made = USAGE
        return [*run, Event(at, "predicted", call.model, facts={"in": read, "out": made})]
    return [*run, Event(at, "streaming", call.model), Event(at, "streamed", call.model)]
