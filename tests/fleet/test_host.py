"""Hosts and wishes that no agent or Fleet could use are refused; lifecycles go where Fleet's users have their say."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

from kibana_assets.errors import UsageError
from kibana_assets.fleet.host import FILES, METRICS, Host
from kibana_assets.fleet.wish import Wish, lifecycle_assets
from kibana_assets.install.lifecycle import Lifecycle


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"root": PurePosixPath("var/llm")}, "--host-root: expected a whole path"),
        ({"root": PurePosixPath("/var/*/llm")}, "without wildcards"),
        ({"time_zone": "Berlin; rm"}, "--time-zone: expected a time zone"),
        ({"proxy_time_zone": ""}, "--proxy-time-zone: expected"),
        ({"monitor_port": 70000}, "--monitor-port: expected a port"),
    ],
)
def test_hosts_that_are_none(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("*", "\\*")):
        Host(**options)


@pytest.mark.parametrize("zone", ["local", "UTC", "Europe/Berlin", "America/Argentina/Salta", "Etc/GMT+3", "+05:30"])
def test_zones(zone: str) -> None:
    assert Host(time_zone=zone).inputs()


@pytest.mark.parametrize(
    ("host", "on"),
    [(Host(), False), (Host(monitor_port=9464), True), (Host(engine="lmstudio", monitor_port=9464), False)],
)
def test_metrics_only_where_there_are_some(host: Host, on: bool) -> None:
    metrics = host.inputs()[METRICS]
    assert metrics["enabled"] is metrics["streams"]["local_llm.vllm_metrics"]["enabled"] is on


def test_without_a_proxy_it_has_no_logs() -> None:
    for host, on in ((Host(), True), (Host(proxy=False), False)):
        found = host.inputs()[FILES]["streams"]
        assert found["local_llm.proxy_access"]["enabled"] is found["local_llm.proxy_error"]["enabled"] is on
        assert found["local_llm.audit"]["enabled"] is found["local_llm.vllm"]["enabled"] is True


@pytest.mark.parametrize("options", [{"policy": "Local LLM"}, {"namespace": "my-space"}, {"namespace": "x" * 101}])
def test_names_that_fleet_would_not_take(options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="expected a plain name"):
        Wish("local_llm", "0.1.0", b"", **options)  # type: ignore[arg-type]


def test_lifecycles() -> None:
    assert lifecycle_assets(Lifecycle()) == ()
    [stream] = lifecycle_assets(Lifecycle("stream", "30d"))
    assert stream.id == "local_llm@custom"
    assert stream.body["template"]["lifecycle"] == {"enabled": True, "data_retention": "30d"}
    policy, template = lifecycle_assets(Lifecycle("ilm", "30d"))
    assert template.body["template"]["settings"]["index"]["lifecycle"]["name"] == policy.id
