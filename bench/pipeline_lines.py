"""Lines as a site writes them, for the pipelines' figures: mostly calls that went well, some that did not, a scanner.

Every kind of line has 400 of them, the same in every run. Of addresses one in five is public and known to the test
nodes' look-ups. What LM Studio writes comes from the package's own tests, event by event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from kibana_assets.package.streams import Stream
from tests.package.case import cases

COUNT = 400
_AGENTS = ("OpenAI/Python 1.99.1", "Kibana/9.4.3", "curl/8.14.1", "python-requests/2.32.4", "elastic/kibana")
_BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
_CLIENTS = ("10.20.0.7", "10.20.0.8", "192.168.1.20", "fd12:3456::17", "81.2.69.142")
# Method and path, status, seconds, whether the engine was asked.
_CALLS = (
    *12 * (("POST", "/v1/chat/completions", 200, 2.345, True),),
    *3 * (("POST", "/v1/embeddings", 200, 0.061, True),),
    *2 * (("GET", "/v1/models", 200, 0.004, True),),
    ("POST", "/v1/chat/completions", 401, 0.0, False),
    ("POST", "/v1/chat/completions", 502, 0.001, True),
    ("GET", "/.env", 404, 0.0, False),
)


def json_access(random: Random) -> str:
    """A line of our proxy's own log."""
    method, path, status, seconds, asked = random.choice(_CALLS)
    taken = f"{max(0.0, seconds - 0.001):.3f}" if asked else ""
    line = {
        "time": "2026-11-21T00:50:30+00:00",
        "epoch": 1795222230 + random.randrange(100_000) / 1000,
        "request_id": f"{random.getrandbits(128):032x}",
        "remote_addr": random.choice(_CLIENTS),
        "token": "kibana" if asked else "",
        "method": method,
        "path": path,
        "protocol": "HTTP/2.0",
        "status": status,
        "request_bytes": random.randrange(400, 90_000),
        "bytes": random.randrange(150, 20_000),
        "duration": seconds,
        "complete": True,
        "upstream": "127.0.0.1:8000" if asked else "",
        "upstream_status": str(status) if asked else "",
        "upstream_connect_time": "0.001" if asked else "",
        "upstream_header_time": taken,
        "upstream_response_time": taken,
        "tls_version": "TLSv1.3",
        "tls_cipher": "TLS_AES_256_GCM_SHA384",
        "user_agent": random.choice((*_AGENTS, _BROWSER)),
        "connection": random.randrange(100_000),
    }
    return json.dumps(line, separators=(",", ":"))


def combined(random: Random) -> str:
    """A line of the combined format with the request's time."""
    method, path, status, seconds, asked = random.choice(_CALLS)
    user, agent = "kibana" if asked else "-", random.choice((*_AGENTS, _BROWSER))
    when, size = f"21/Nov/2026:00:50:{random.randrange(60):02} +0000", random.randrange(150, 20_000)
    begin = f'{random.choice(_CLIENTS)} - {user} [{when}] "{method} {path} HTTP/1.1"'
    return f'{begin} {status} {size} "-" "{agent}" {seconds:.3f}'


def error(random: Random) -> str:
    """A line of Nginx's error log, of the levels that are on by default."""
    level, message, upstream = random.choice(_ERRORS)
    parts = [
        f"2026/11/21 00:50:{random.randrange(60):02} [{level}] 71#71: *{random.randrange(100_000)} {message}",
        f"client: {random.choice(_CLIENTS)}",
        "server: llm.example.com",
        'request: "POST /v1/chat/completions HTTP/1.1"',
        *(['upstream: "http://127.0.0.1:8000/v1/chat/completions"'] if upstream else []),
        'host: "llm.example.com:8443"',
    ]
    return ", ".join(parts)


_ERRORS = (
    ("error", "connect() failed (111: Connection refused) while connecting to upstream", True),
    ("error", "upstream timed out (110: Connection timed out) while reading response header from upstream", True),
    ("error", "upstream prematurely closed connection while reading response header from upstream", True),
    ("error", 'limiting requests, excess: 0.992 by zone "llm_token"', False),
    ("error", "client intended to send too large body: 20000512 bytes", False),
    ("error", "access forbidden by rule", False),
    ("warn", "a client request body is buffered to a temporary file /var/lib/nginx/body/0000000001", False),
    (
        "crit",
        "SSL_do_handshake() failed (SSL: error:0A00006C:SSL routines::bad key share) while SSL handshaking",
        False,
    ),
)
_MADE: dict[str, Callable[[Random], str]] = {"JSON": json_access, "combined": combined, "error": error}


def events(stream: Stream) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The kinds of lines of a stream that has any, and the documents that a shipper makes of them."""
    kinds = {"proxy_access": ("JSON", "combined"), "proxy_error": ("error",)}.get(stream.name, ())
    for kind in kinds:
        random = Random(kind)
        yield kind, [_shipped(_MADE[kind](random)) for _ in range(COUNT)]
    if kinds:
        return
    for case in cases(stream):
        found = [_shipped(event["message"]) for event in case.events() if _usual(event)]
        if found and "hostile" not in case.path.name:
            yield case.path.stem.removeprefix("test-"), found


def _usual(event: dict[str, Any]) -> bool:
    return isinstance(event.get("message"), str) and len(event["message"]) < 4096


def _shipped(message: str) -> dict[str, Any]:
    return {"@timestamp": "2026-11-21T00:50:31.000Z", "message": message}
