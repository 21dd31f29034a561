"""config/proxy.json follows from the lock, and the site can read it."""

from __future__ import annotations

from dataclasses import replace

from bundler.content.proxy import proxy_files, proxy_plan
from bundler.content.render import render
from bundler.lock.model import Lock
from bundler.serving.proxy_plan import PATH, ProxyPlan, decode
from tests.content.test_config_of_a_bundle import lock as lock


def test_the_site_reads_what_was_written(lock: Lock) -> None:
    plan = decode(proxy_files(lock)[PATH].encode())
    image = next(image for image in lock.images if image.role == "proxy")
    assert (
        plan
        == proxy_plan(lock)
        == ProxyPlan(lock.request["proxy"]["server_name"], "container", image.name, image.digest)
    )
    assert PATH in [file.path for file in render(lock)]
    assert "where it runs" in next(file.data for file in render(lock) if file.path == "README.md").decode()


def test_the_hosts_own_and_none(lock: Lock) -> None:
    request = lock.request
    host = replace(lock, request={**request, "proxy": {"server_name": "x.example", "run": "host", "image": None}})
    assert proxy_plan(host) == ProxyPlan("x.example", "host")
    assert proxy_files(replace(lock, request={**request, "proxy": None})) == {}
