"""vLLM's ``/metrics`` of the day: three engines on two servers, a third server that is down.

Rules: the requests are those that the clients saw answered; each engine tells of its own what it counted until each
scrape. An engine's times are middles of its buckets: a histogram knows no more. One server begins anew on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, Final

from tests.dashboards.panels.diary import Diary, Served
from tests.dashboards.panels.engine_log import reached
from tests.package.prometheus_collector import Collector

ENGINES: Final = (
    ("http://gpu1:8000/metrics", "0"),
    ("http://gpu1:8000/metrics", "1"),
    ("http://gpu2:8000/metrics", "0"),
)
ANEW: Final = ("http://gpu2:8000/metrics", "0")
DOWN: Final = "http://gpu3:8000/metrics"
SCRAPES: Final = 7
AFRESH: Final = 5
STEP: Final = 10
MODEL: Final = "tiny"
_INF: Final = float("inf")
_SECONDS: Final = (0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_TOKENS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
TIMES: Final = {
    "time_to_first_token": "time_to_first_token_seconds",
    "inter_token_latency": "inter_token_latency_seconds",
    "e2e_latency": "e2e_request_latency_seconds",
    "queue_time": "request_queue_time_seconds",
    "prefill_time": "request_prefill_time_seconds",
    "decode_time": "request_decode_time_seconds",
}


def lived(diary: Diary, until: float) -> list[dict[str, Any]]:
    """The events of all scrapes, the last one before ``until`` (seconds since 1970)."""
    first = int(until) // STEP * STEP - SCRAPES * STEP + 1
    diary.scrapes = [float(first + number * STEP) for number in range(SCRAPES)]
    diary.served = list(_served(diary))
    collectors = {server: Collector(server) for server, _ in ENGINES}
    found = []
    for number, at in enumerate(diary.scrapes):
        stamp = datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds")
        for server, collector in collectors.items():
            found += collector.scrape("\n".join(_answer(diary, server, number)), stamp)
        found += Collector(DOWN).failed(stamp)
    diary.documents = {server: sum(one["service"]["address"] == server for one in found) for server in
                       (*collectors, DOWN)}  # fmt: skip
    return found


def middle(value: float, bounds: Iterable[float]) -> float:
    """The middle of the bucket that ``value`` lies in."""
    lower = 0.0
    for upper in bounds:
        if value <= upper:
            return lower + (upper - lower) / 2
        lower = upper
    return lower


def _served(diary: Diary) -> Iterator[Served]:
    """Each call that the engine answered, given to an engine and a scrape; the first scrape has none."""
    for number, _ in enumerate(one for one in reached(diary) if one.operation and one.status == 200):
        server, engine = ENGINES[number % len(ENGINES)]
        spread = (number * 7) % 10
        times = {name: _SECONDS[(spread + place) % 9] for place, name in enumerate(TIMES)}
        times = {name: middle(value, _SECONDS) for name, value in times.items()}
        # Fewer after the server began anew than before, or its counters would not fall.
        scrape = 1 + number // len(ENGINES) % (SCRAPES - 1)
        prompt, answer = (int(middle(_TOKENS[3 + (spread + more) % 4], _TOKENS)) for more in (0, 1))
        yield Served(
            server, engine, scrape, "length" if number % 4 == 3 else "stop", prompt, answer, times, spread == 9
        )


def until(diary: Diary, server: str, engine: str, number: int) -> list[Served]:
    """What an engine has counted at a scrape: all since it began."""
    first = AFRESH if (server, engine) == ANEW and number >= AFRESH else 0
    return [
        one for one in diary.served if (one.server, one.engine) == (server, engine) and first <= one.scrape <= number
    ]


def _answer(diary: Diary, server: str, number: int) -> Iterator[str]:
    engines = [engine for one, engine in ENGINES if one == server]
    gauges = {}
    for engine in engines:
        made = {
            "running": number % 3 + int(engine),
            "waiting": (number + 1) % 2,
            "cache": 0.1 * number + 0.05 * int(engine),
        }
        gauges[engine] = made
        diary.gauges.setdefault((server, engine), []).append(made)
    for name, key in (("num_requests_running", "running"), ("num_requests_waiting", "waiting"),
                      ("kv_cache_usage_perc", "cache")):  # fmt: skip
        yield f"# TYPE vllm:{name} gauge"
        for engine in engines:
            yield _sample(name, engine, gauges[engine][key])
    for name, kind in (("num_preemptions_total", "preempted"), ("prompt_tokens_total", "prompt"),
                       ("generation_tokens_total", "answer"), ("prefix_cache_queries_total", "prompt"),
                       ("prefix_cache_hits_total", "hits")):  # fmt: skip
        yield f"# TYPE vllm:{name} counter"
        for engine in engines:
            yield _sample(name, engine, sum(counted(one, kind) for one in until(diary, server, engine, number)))
    yield "# TYPE vllm:request_success_total counter"
    for engine in engines:
        done = until(diary, server, engine, number)
        for reason in ("stop", "length"):
            more = f'finished_reason="{reason}",'
            yield _sample("request_success_total", engine, sum(one.reason == reason for one in done), more)
    for engine in engines:
        yield from _histograms(engine, until(diary, server, engine, number))


def counted(one: Served, kind: str) -> int:
    """What a request adds to a counter; of each prompt a tenth was in the prefix cache."""
    return {"preempted": int(one.preempted), "prompt": one.prompt, "answer": one.answer, "hits": one.prompt // 10}[kind]


def _histograms(engine: str, done: list[Served]) -> Iterator[str]:
    for name, family in TIMES.items():
        yield from _histogram(family, engine, _SECONDS, [one.times[name] for one in done])
    yield from _histogram("request_prompt_tokens", engine, _TOKENS, [float(one.prompt) for one in done])
    yield from _histogram("request_generation_tokens", engine, _TOKENS, [float(one.answer) for one in done])


def _histogram(family: str, engine: str, bounds: tuple[float, ...], values: list[float]) -> Iterator[str]:
    yield f"# TYPE vllm:{family} histogram"
    for bound in (*bounds, _INF):
        said = "+Inf" if bound == _INF else f"{bound}"
        yield _sample(f"{family}_bucket", engine, sum(value <= bound for value in values), f'le="{said}",')


def _sample(name: str, engine: str, value: float, more: str = "") -> str:
    return f'vllm:{name}{{engine="{engine}",{more}model_name="{MODEL}"}} {float(value)}'
