"""Engines on other hosts: what Nginx takes, and never this host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.serving.nginx.container import container_config
from bundler.spec.upstream import upstream_fault, upstreams_fault


@pytest.mark.parametrize(
    "text", ["192.0.2.7:8000", "gpu-2:1", "GPU-2.example.internal:65535", "[2001:db8::7]:8000", "[::ffff:192.0.2.7]:80"]
)
def test_good(text: str) -> None:
    assert upstream_fault(text) is None
    assert container_config("llm.example", upstreams=(text,)).upstreams == (text,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not host:port"),
        ("gpu-2", "is not host:port"),
        ("http://gpu-2:8000", "is not host:port"),
        ("gpu-2:8000/v1", "is not host:port"),
        ("gpu-2:8000; include /etc/passwd", "is not host:port"),
        ("gpu-2:8000\n", "is not host:port"),
        ("user@gpu-2:8000", "is not host:port"),
        ("2001:db8::7:8000", "is not host:port"),
        ("unix:/run/x.sock", "is not host:port"),
        ("gpu-2:0", "has a port outside 1 to 65535"),
        ("gpu-2:65536", "has a port outside 1 to 65535"),
        ("a..b:1", "has a host that is no name"),
        ("a-.b:1", "has a host that is no name"),
        ("1.2.3:1", "has a host that is no address"),
        ("0x7f.1:1", "has a host that is no address"),
        ("[1.2.3.4]:1", "has a host that is no address"),
        ("[::1%eth0]:1", "is not host:port"),
        ("127.0.0.1:8000", "is this host itself"),
        ("127.9.9.9:8000", "is this host itself"),
        ("[::1]:8000", "is this host itself"),
        ("[::ffff:127.0.0.1]:8000", "is this host itself"),
        ("0.0.0.0:8000", "is this host itself"),
        ("[::]:8000", "is this host itself"),
        ("LocalHost:8000", "is this host itself"),
        ("x.localhost:8000", "is this host itself"),
        ("224.0.0.1:8000", "is no host's address"),
    ],
)
def test_bad(text: str, words: str) -> None:
    assert upstream_fault(text) == words


@given(st.text(max_size=30))
def test_what_is_good_can_stand_in_the_configuration(text: str) -> None:
    if upstream_fault(text) is None:
        assert container_config("llm.example", upstreams=(text,))


def test_several() -> None:
    assert upstreams_fault(("a:1", "a:2", "b:1")) is None
    assert upstreams_fault(("a:1", "b:1", "A:1")) == (2, "stands twice")
    assert upstreams_fault(("a:1", "a")) == (1, "is not host:port")
