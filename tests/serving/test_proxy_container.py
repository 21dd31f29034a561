"""The proxy's container: what it may, where it listens, and the one that only tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bundler.serving.container import Publish
from bundler.serving.proxy_container import ProxyChoices, proxy_check, proxy_container

CHOICES = ProxyChoices(
    name="llm-proxy-1",
    image="localhost/llm-bundle/nginx:1",
    owner="1",
    config="/srv/work/nginx",
    secrets="/srv/secrets/nginx",
    tls="/srv/secrets/tls",
    logs="/srv/logs",
    networks=("private", "front"),
    address="10.219.0.2",
)
ON_HOST = replace(CHOICES, networks=("host",), address=None)


def test_it_may_do_little() -> None:
    spec = proxy_container(CHOICES)
    assert (spec.user, spec.capabilities, spec.env, spec.env_file) == ("65532:65532", (), (), None)
    assert [mount.source for mount in spec.mounts if mount.writable] == ["/srv/logs"]
    assert (spec.networks, spec.address, spec.resolves) == (("private", "front"), "10.219.0.2", False)
    assert spec.entrypoint == ("nginx",)
    assert spec.args == ("-c", "/etc/llm-bundle/nginx/nginx.conf", "-e", "stderr", "-g", "daemon off;")
    assert dict(spec.labels) == {"llm-bundle.owner": "1"}


def test_its_ports() -> None:
    spec = proxy_container(replace(CHOICES, addresses=("192.0.2.7", "2001:db8::7"), https_port=8443, http_port=8080))
    assert spec.publish == (
        Publish("192.0.2.7", 8443, 8443),
        Publish("192.0.2.7", 8080, 8080),
        Publish("2001:db8::7", 8443, 8443),
        Publish("2001:db8::7", 8080, 8080),
    )
    assert proxy_container(replace(CHOICES, http_port=None)).publish == (Publish("0.0.0.0", 443, 8443),)
    watched = proxy_container(replace(CHOICES, http_port=None, monitor_port=9100))
    assert watched.publish == (Publish("0.0.0.0", 443, 8443), Publish("127.0.0.1", 9100, 9464))


@pytest.mark.parametrize(
    ("choices", "capabilities", "directives"),
    [
        ({}, ("NET_BIND_SERVICE",), "daemon off;"),
        ({"https_port": 8443, "http_port": None}, (), "daemon off;"),
        ({"https_port": 8443, "http_port": 80}, ("NET_BIND_SERVICE",), "daemon off;"),
        ({"user": "0:0"}, ("NET_BIND_SERVICE", "SETGID"), "daemon off; user root;"),
        ({"user": "0:0", "https_port": 8443, "http_port": 8080}, ("SETGID",), "daemon off; user root;"),
    ],
)
def test_on_the_hosts_own_network(choices: dict[str, Any], capabilities: tuple[str, ...], directives: str) -> None:
    spec = proxy_container(replace(ON_HOST, **choices))
    assert (spec.publish, spec.capabilities, spec.args[-1]) == ((), capabilities, directives)
    assert spec.resolves


def test_the_one_that_tests_listens_nowhere() -> None:
    spec = proxy_container(CHOICES)
    check = proxy_check(spec)
    assert (check.name, check.args[-1], check.restart) == ("llm-proxy-1-check", "-t", "no")
    assert (check.networks, check.address, check.publish) == ((), None, ())
    assert (check.mounts, check.user, check.image) == (spec.mounts, spec.user, spec.image)
    assert proxy_check(proxy_container(ON_HOST)).networks == ("host",)
    assert proxy_check(proxy_container(replace(CHOICES, resolves=True))).networks == ("front",)


def test_a_mark_follows_from_all_of_it() -> None:
    spec = proxy_container(CHOICES)
    assert spec.mark == proxy_container(replace(CHOICES)).mark
    assert len({spec.mark, replace(spec, args=()).mark, proxy_container(replace(CHOICES, http_port=None)).mark}) == 3
