"""vLLM's log of the day, in the form of 0.25 to 0.32: a start, the calls that reached it, errors, an end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from tests.dashboards.panels.diary import Call, Diary, Event

API: Final = "APIServer"
CORE: Final = "EngineCore"
LOADED, CAPTURED, READY = 12.5, 13.0, 38.75
_STATUS: Final = {200: "OK", 403: "Forbidden", 429: "Too Many Requests"}


def reached(diary: Diary) -> list[Call]:
    """The calls that vLLM answered, or would have, and so wrote a line of."""
    return [
        one for one in diary.calls if one.proxy == "vllm" and one.ended_by == "engine" and one.source == "127.0.0.1"
    ]


def written(diary: Diary, path: Path) -> None:
    """Write the log, and note what stands in it."""
    with path.open("w", encoding="utf-8") as log:
        for text, event in [*_start(), *_calls(diary), *_trouble(), *_end()]:
            log.write(text + "\n")
            diary.engine.append(event)


def _start() -> Iterator[tuple[str, Event]]:
    def event(what: str, seconds: float = 0) -> Event:
        return Event(time.time(), what, CORE, facts={"seconds": seconds})

    yield _core("core.py:133", "Initializing a V1 LLM engine (v0.32.0) with config: model='/models/tiny'"), event("up")
    for seconds in (LOADED, LOADED * 3):
        line = _core("default_loader.py:501", f"Loading weights took {seconds} seconds")
        yield line, event("model_loaded", seconds)
    line = _core("gpu_model_runner.py:2048", f"Graph capturing finished in {CAPTURED:g} secs, took 4.09 GiB")
    yield line, event("graphs_captured", CAPTURED)
    line = _core("core.py:402", f"init engine (profile, create kv cache, warmup model) took {READY} s")
    yield line, event("engine_ready", READY)


def _calls(diary: Diary) -> Iterator[tuple[str, Event]]:
    for number, one in enumerate(reached(diary)):
        method = "POST" if one.operation else "GET"
        if one.operation == "chat":
            name = f"chatcmpl-{number:08x}"
            said = f"Received request {name}: params: SamplingParams(n=1), lora_request: None."
            yield _api("request_logger.py:65", said), Event(one.ended, "received", API, facts={"id": name})
            yield _api("async_llm.py:578", f"Added request {name}."), Event(one.ended, "added", API, facts={"id": name})
        line = f'INFO:     127.0.0.1:{40000 + number} - "{method} {one.path} HTTP/1.1" {one.status} '
        yield line + _STATUS[one.status], Event(one.ended, "request", API, one.status >= 400)


def _trouble() -> Iterator[tuple[str, Event]]:
    now = time.time()
    for _ in range(2):
        said = "Error with model error=ErrorInfo(message='The model `no` does not exist. Valid aliases: tiny.')"
        yield _api("serving.py:274", said, "ERROR"), Event(now, "rejected", API, True, "model_not_found")
    said = "EngineCore encountered a fatal error."
    trace = ["Traceback (most recent call last):", '  File "/a/core.py", line 9, in run', "    x()"]
    lines = [
        _core("core.py:938", one, "ERROR") for one in (said, *trace, "torch.OutOfMemoryError: CUDA out of memory.")
    ]
    yield "\n".join(lines), Event(now, "engine_error", CORE, True, "out_of_memory")


def _end() -> Iterator[tuple[str, Event]]:
    now = time.time()
    last = "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue."
    trace = ["AsyncLLM output_handler failed.", "Traceback (most recent call last):", '  File "/a.py", line 9, in run']
    # What the engine's end brings about at the server is no failure of its own (event.outcome unknown).
    lines = [_api("async_llm.py:906", one, "ERROR") for one in (*trace, last)]
    yield "\n".join(lines), Event(now, "dead", API, False, "engine_dead")
    yield "INFO:     Application shutdown complete.", Event(now, "stopped", API)
    said = "ValueError: Free memory on device (1/80 GiB) is less than desired GPU memory utilization"
    lines = [_core("core.py:718", one, "ERROR") for one in ("EngineCore failed to start.", trace[1], trace[2], said)]
    yield "\n".join(lines), Event(now, "startup_failed", CORE, True, "insufficient_gpu_memory")
    yield "INFO:     Application shutdown complete.", Event(now, "stopped", API)


def _core(file: str, text: str, level: str = "INFO") -> str:
    return f"(EngineCore pid=42) {level} {datetime.now():%m-%d %H:%M:%S} [{file}] {text}"


def _api(file: str, text: str, level: str = "INFO") -> str:
    return f"(APIServer pid=15) {level} {datetime.now():%m-%d %H:%M:%S} [{file}] {text}"
