"""config/proxy.json: written and read back, and everything that it must not be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.serving.proxy_plan import MAX_BYTES, ProxyPlan, decode

PLAN = ProxyPlan("llm.example.internal", "container", "docker.io/library/nginx:1.29-alpine", Digest("ab" * 32))
HOST = ProxyPlan("192.0.2.7", "host")


@pytest.mark.parametrize("plan", [PLAN, HOST])
def test_round_trip(plan: ProxyPlan) -> None:
    assert decode(plan.encode()) == plan
    assert plan.encode() == decode(plan.encode()).encode()


@pytest.mark.parametrize(
    ("plan", "changes", "words"),
    [
        (PLAN, {"format": "llm-bundle-proxy/2"}, 'format: expected "llm-bundle-proxy/1"'),
        (PLAN, {"format": None}, "format: expected a text"),
        (PLAN, {"server_name": "a b"}, "server_name: expected a host name or an IPv4 address"),
        (PLAN, {"server_name": "x;} evil {"}, "server_name: expected a host name"),
        (PLAN, {"server_name": "llm.example.internal\n"}, "server_name: expected a host name"),
        (PLAN, {"run": "shell"}, "run: expected container or host"),
        (PLAN, {"image": None}, "image: expected a text"),
        (PLAN, {"image": "nginx\n:1"}, "image: expected a text of one line"),
        (PLAN, {"digest": "sha512:00"}, "digest: expected a SHA-256 digest"),
        (PLAN, {"digest": None}, "digest: expected a text"),
        (HOST, {"image": "nginx:1"}, "image: expected nothing where the host's own Nginx runs"),
        (HOST, {"digest": str(PLAN.digest)}, "digest: expected nothing where the host's own Nginx runs"),
    ],
)
def test_what_it_must_not_be(plan: ProxyPlan, changes: dict[str, Any], words: str) -> None:
    data = json.dumps({**json.loads(plan.encode()), **changes}).encode()
    with pytest.raises(IntegrityError) as caught:
        decode(data)
    assert caught.value.message.startswith("config/proxy.json: ")
    assert words in caught.value.message


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"format": "x", "format": "y"}', b" " * (MAX_BYTES + 1)])
def test_what_is_no_plan(data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"^config/proxy\.json: "):
        decode(data)
