"""Documents for rules and objectives: some that must fire, and some just beside them that must not.

A document has dotted fields, and ``ago``: seconds before now.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

Documents = list[dict[str, Any]]
CHAT = {
    "gen_ai.operation.name": "chat",
    "event.action": "chat-completion",
    "data_stream.dataset": "local_llm.proxy_access",
}
ENGINE = {"service.address": "http://gpu1:8000/metrics", "gen_ai.request.model": "m", "local_llm.vllm.engine": "0"}
SECOND = {**ENGINE, "service.address": "http://gpu2:8000/metrics"}


def call(status: int, ago: float = 60, code: str = "") -> dict[str, Any]:
    """A chat completion in the access log."""
    error = {"error.code": code} if code else {}
    return {"ago": ago, **CHAT, "http.response.status_code": status, **error}


def denied(address: str, ago: float = 60) -> dict[str, Any]:
    return call(401, ago, "unauthorized") | {
        "event.action": "denied",
        "source.address": address,
        "url.path": "/v1/models",
    }


def metric(name: str, value: float, ago: float, engine: dict[str, str] = ENGINE) -> dict[str, Any]:
    """A document of vLLM's metrics."""
    return {"ago": ago, **engine, f"local_llm.vllm.{name}": value}


def up(value: int, ago: float, address: str = "gpu1") -> dict[str, Any]:
    return {"ago": ago, "service.address": f"http://{address}:8000/metrics", "local_llm.vllm.up": value}


def disk(mount: str, used: float, ago: float = 60) -> dict[str, Any]:
    return {"ago": ago, "host.name": "gpu1", "system.filesystem.mount_point": mount, "system.filesystem.used.pct": used}


def first(seconds: float) -> dict[str, Any]:
    return call(200) | {"local_llm.upstream.header_time": seconds}


def certificate(days: int, ago: float, host: str = "gpu1") -> dict[str, Any]:
    """A deed of that time, and until when the certificate is good: so many days from now."""
    ends = (datetime.now(timezone.utc) + timedelta(days=days)).isoformat(timespec="milliseconds")
    return {"ago": ago, "host.name": host, "event.action": "install", "tls.server.not_after": ends}


GONE = {"ago": 60, "event.action": "model-crashed", "log.file.path": "/l"}
FULL = {"ago": 60, "error.code": "resources", "error.type": "No space left on device", "log.file.path": "/e"}
REFUSED = [call(401, 60, "unauthorized"), call(404, 60, "not_found"), call(429, 60, "limit_requests")]

FIRES: dict[tuple[str, str], tuple[Documents, Documents]] = {
    ("no-answer", "errors"): ([call(502), call(504), *REFUSED], [{"unanswered": 2, "answered": 0}]),
    ("no-answer", "clients-give-up"): ([call(499), call(200, ago=400)], [{"unanswered": 1, "answered": 0}]),
    ("no-answer", "engine-says-500"): ([call(500, code="engine_500")], [{"unanswered": 1, "answered": 0}]),
    ("vllm-not-reachable", "down"): (
        [up(1, 20, "gpu2"), up(1, 400), up(0, 20)],
        [{"service.address": "http://gpu1:8000/metrics"}],
    ),
    ("vllm-not-reachable", "silent"): ([up(1, 7200)], [{"service.address": "http://gpu1:8000/metrics"}]),
    ("vllm-not-reachable", "never-up"): ([up(0, 20)], [{"reached": None}]),
    ("server-errors", "6-of-100"): (
        [call(200)] * 94 + [call(502)] * 6,
        [{"requests": 100, "errors": 6, "percent": 6.0}],
    ),
    ("certificate-ends", "in-20-days"): (
        [certificate(20, 86_400 * 300), certificate(300, 60, "gpu2"), {"ago": 60, "host.name": "gpu1"}],
        [{"host.name": "gpu1"}],
    ),
    ("certificate-ends", "has-ended"): ([certificate(-3, 60)], [{"host.name": "gpu1"}]),
    ("denied-calls", "20-of-one"): (
        [denied("203.0.113.9")] * 20 + [denied("10.0.0.1")] * 19,
        [{"source.address": "203.0.113.9", "calls": 20, "paths": 1}],
    ),
    ("queue-growing", "from-2-to-8"): (
        [
            metric("requests.waiting", 2, 500),
            metric("requests.waiting", 8, 60),
            metric("requests.waiting", 0, 60, SECOND),
        ],
        [{"before": 2.0, "waiting": 8.0, "service.address": ENGINE["service.address"]}],
    ),
    ("queue-growing", "from-0"): (
        [metric("requests.waiting", 0, 500), metric("requests.waiting", 5, 60)],
        [{"before": 0.0, "waiting": 5.0}],
    ),
    ("kv-cache-full", "one-of-two"): (
        [
            metric("kv_cache.usage", 0.96, 200),
            metric("kv_cache.usage", 0.94, 10),
            metric("kv_cache.usage", 0.2, 10, SECOND),
        ],
        [{"usage": 0.95, "service.address": ENGINE["service.address"], "gen_ai.request.model": "m"}],
    ),
    ("preemptions", "10"): (
        [
            metric("preemptions.total", 100, 400),
            metric("preemptions.total", 104, 200),
            metric("preemptions.total", 110, 10),
        ],
        [{"preemptions": 10, "service.address": ENGINE["service.address"]}],
    ),
    ("slow-first-token", "12-s"): (
        [first(12.0)] * 10,
        [{"requests": 10, "p95": 12.0, "gen_ai.operation.name": "chat"}],
    ),
    ("slow-first-token", "two-engines-tried"): (
        [first(5) | {"local_llm.upstream.header_time": [6, 6]}] * 10,
        [{"p95": 12}],
    ),
    ("lmstudio-crash", "each-kind"): (
        [GONE, GONE, {**GONE, "event.action": "engine-exited"}],
        [{"event.action": "model-crashed", "crashes": 2}, {"event.action": "engine-exited", "crashes": 1}],
    ),
    ("out-of-resources", "disk"): ([FULL], [{"error.type": "No space left on device", "errors": 1}]),
    ("disk-low", "one-of-two"): (
        [disk("/", 0.5), disk("/models", 0.93)],
        [{"system.filesystem.mount_point": "/models"}],
    ),
}
SILENT: dict[tuple[str, str], Documents] = {
    ("no-answer", "nobody-asks"): [],
    ("no-answer", "one-answer"): [call(502), call(200)],
    ("no-answer", "the-engine-refuses"): [call(502), call(400, code="engine_400")],
    ("no-answer", "only-refused"): REFUSED,
    ("no-answer", "health-checks"): [{"ago": 60, "http.response.status_code": 502, "event.action": "health-check"}],
    ("vllm-not-reachable", "up"): [up(0, 200), up(1, 280)],
    ("vllm-not-reachable", "forgotten"): [up(1, 90_000)],
    ("server-errors", "5-of-100"): [call(200)] * 95 + [call(502)] * 5,
    ("server-errors", "too-few"): [call(502)] * 19,
    ("server-errors", "before"): [call(502, ago=1000)] * 30,
    ("server-errors", "health-checks"): [call(503) | {"event.action": "health-check"}] * 30,
    ("certificate-ends", "renewed"): [certificate(5, 86_400 * 85), certificate(90, 60)],
    ("certificate-ends", "no-proxy"): [{"ago": 60, "host.name": "gpu1", "event.action": "install"}],
    ("denied-calls", "19-of-one"): [denied("203.0.113.9")] * 19 + [denied("203.0.113.9", 400)] * 5,
    ("denied-calls", "unauthorized-by-the-engine"): [call(401, code="engine_401") | {"source.address": "10.0.0.1"}]
    * 30,
    ("queue-growing", "high-but-steady"): [metric("requests.waiting", 20, 500), metric("requests.waiting", 22, 60)],
    ("queue-growing", "small"): [metric("requests.waiting", 0, 500), metric("requests.waiting", 4, 60)],
    ("queue-growing", "nothing-before"): [metric("requests.waiting", 50, 60)],
    ("kv-cache-full", "for-a-moment"): [metric("kv_cache.usage", 0.99, 200), metric("kv_cache.usage", 0.5, 10)],
    ("kv-cache-full", "0.9"): [metric("kv_cache.usage", 0.9, 10)],
    ("preemptions", "9"): [
        metric("preemptions.total", count, ago) for count, ago in ((80, 500), (100, 400), (109, 10))
    ],
    ("preemptions", "restart"): [metric("preemptions.total", 500, 400), metric("preemptions.total", 20, 10)],
    ("preemptions", "first-seen"): [metric("preemptions.total", 5000, 10)],
    ("slow-first-token", "one-of-100"): [first(1.0)] * 99 + [first(60.0)],
    ("slow-first-token", "embeddings"): [first(60.0) | {"gen_ai.operation.name": "embeddings"}] * 20,
    ("slow-first-token", "too-few"): [first(60.0)] * 9,
    ("slow-first-token", "failed"): [call(504) | {"local_llm.upstream.header_time": 60.0}] * 20,
    ("lmstudio-crash", "unloaded"): [{**GONE, "event.action": "model-unloaded"}, {**GONE, "ago": 400}],
    ("out-of-resources", "other-errors"): [{**FULL, "error.code": "file"}, {**FULL, "ago": 400}],
    ("disk-low", "0.9"): [disk("/", 0.9), disk("/models", 0.99, ago=1000)],
}
# documents, and of them good and counted
RATIOS: dict[tuple[str, str], tuple[Documents, tuple[int, int]]] = {
    ("availability", "mixed"): (
        [
            *(call(200), call(200), call(400, code="engine_400"), call(499, code="client_abort"), call(502), *REFUSED),
            call(200, code="incomplete"),
            call(502) | {"gen_ai.operation.name": "embeddings"},
            {"ago": 9, "http.response.status_code": 502, "event.action": "health-check"},
        ],
        (3, 6),
    ),
    ("first-byte", "mixed"): (
        [first(0.1), first(10.0), first(10.1), call(200), call(504) | {"local_llm.upstream.header_time": 60.0}],
        (2, 3),
    ),
}
