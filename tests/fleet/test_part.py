"""Installing into Fleet: once, again, edited, upgraded, cut in the middle, removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest

from kibana_assets.errors import RefusedError, UnreachableError, UsageError
from kibana_assets.fleet.choose import settled
from kibana_assets.fleet.host import FILES, METRICS, Host
from kibana_assets.install.plan import Change
from kibana_assets.package.build import Built
from tests.counterparts.kibana_stack.archive import parse
from tests.counterparts.kibana_stack.route import Answer
from tests.counterparts.kibana_stack.server import Cut
from tests.fleet.conftest import Stage, of_version


def told(changes: tuple[Change, ...]) -> dict[str, str]:
    return {f"{one.kind.removeprefix('fleet_')} {one.space}": f"{one.action}: {one.reason}" for one in changes}


def variables(stage: Stage, dataset: str, group: str = FILES) -> dict[str, Any]:
    """What the package policy says of a stream."""
    for one in stage.stack.package_policies["local-llm"]["inputs"]:
        for stream in one["streams"] if f"local_llm-{one['type']}" == group else ():
            if stream["data_stream"]["dataset"] == f"local_llm.{dataset}":
                values = {name: value["value"] for name, value in stream["vars"].items()}
                return {**values, "enabled": stream["enabled"]}
    raise AssertionError(dataset)


def test_once_and_again(stage: Stage) -> None:
    stage.wish = replace(
        stage.wish, host=Host(root=PurePosixPath("/srv/llm"), monitor_port=9464, time_zone="Asia/Tokyo")
    )
    assert set(told(stage.plan()).values()) == {"create: missing"}
    assert stage.stack.packages == {}
    stage.install()
    assert stage.stack.packages["local_llm"].version == "0.1.0"
    assert variables(stage, "proxy_access")["paths"] == ["/srv/llm/logs/access.json.log*"]
    assert variables(stage, "proxy_error")["tz_offset"] == "UTC"
    assert variables(stage, "audit")["paths"] == ["/srv/llm/audit.log*"]
    assert variables(stage, "vllm")["tz_offset"] == "Asia/Tokyo"
    assert variables(stage, "lmstudio")["enabled"] is False
    assert variables(stage, "vllm_metrics", METRICS)["hosts"] == ["http://127.0.0.1:9464"]
    assert stage.stack.package_policies["local-llm"]["policy_ids"] == ["local-llm"]
    stage.kibana.seen.clear()
    assert set(told(stage.plan()).values()) == {"keep: up to date"}
    assert stage.install() == ()
    assert stage.kibana.writes() == []


def test_lmstudio_without_metrics(stage: Stage) -> None:
    stage.wish = replace(stage.wish, host=Host(engine="lmstudio", monitor_port=9464, proxy_time_zone="local"))
    stage.install()
    assert variables(stage, "lmstudio")["enabled"] is True
    assert variables(stage, "vllm")["enabled"] is False
    assert variables(stage, "vllm_metrics", METRICS)["enabled"] is False


def test_another_wish_is_brought_in(stage: Stage) -> None:
    stage.install()
    stage.wish = replace(stage.wish, host=Host(time_zone="Europe/Berlin"))
    assert told(stage.plan())["package_policy default"] == "update: other content"
    assert [one.kind for one in stage.install()] == ["fleet_package_policy"]
    assert variables(stage, "vllm")["tz_offset"] == "Europe/Berlin"


def test_further_spaces(stage: Stage) -> None:
    stage.wish = replace(stage.wish, spaces=("ops", "soc"), home="")
    with pytest.raises(UsageError, match="there is no space ops, soc"):
        stage.plan()
    stage.stack.spaces |= {"ops": "Operations", "soc": "SOC"}
    stage.install()
    assert len(stage.stack.ids("ops", "dashboard")) == len(stage.stack.ids("soc", "dashboard")) > 0
    assert stage.stack.ids("default", "dashboard") == []
    assert stage.install() == ()
    stage.wish = replace(stage.wish, spaces=("ops", "soc", "default"), home="ops")
    assert told(stage.plan())["dashboards default"] == "create: missing"
    assert [one.space for one in stage.install()] == ["default"]
    assert len(stage.stack.ids("default", "dashboard")) > 0


def test_what_somebody_edited_stays(stage: Stage) -> None:
    stage.install()
    edit(stage, "processors", "- drop_event: {}")
    stage.stack.agent_policies["local-llm"]["description"] = "Mine."
    stage.wish = replace(stage.wish, host=Host(time_zone="Europe/Berlin"))
    found = told(stage.plan())
    assert found["package_policy default"] == found["agent_policy default"] == "keep: edited by hand"
    assert stage.install() == ()
    assert {one.kind for one in stage.plan(force=True) if one.overwrites} == {
        "fleet_package_policy",
        "fleet_agent_policy",
    }
    stage.install(force=True)
    assert variables(stage, "proxy_access")["processors"] is None
    assert variables(stage, "vllm")["tz_offset"] == "Europe/Berlin"
    assert stage.stack.agent_policies["local-llm"]["description"] != "Mine."


def edit(stage: Stage, name: str, value: object) -> None:
    for one in stage.stack.package_policies["local-llm"]["inputs"]:
        for stream in one["streams"]:
            if stream["data_stream"]["dataset"] == "local_llm.proxy_access":
                stream["vars"][name]["value"] = value


def test_a_new_version_takes_the_policy_along(stage: Stage, built: Built) -> None:
    stage.install()
    stage.rise(built, "0.2.0")
    assert told(stage.plan()) == {
        "package *": "update: from 0.1.0",
        "dashboards default": "keep: up to date",
        "agent_policy default": "keep: up to date",
        "package_policy default": "update: from 0.1.0",
    }
    stage.install()
    assert stage.stack.package_policies["local-llm"]["package"]["version"] == "0.2.0"
    assert stage.install() == ()


def test_fleet_may_have_taken_the_policy_along_itself(stage: Stage, built: Built) -> None:
    stage.install()
    stage.stack.packages["local_llm"].keep_policies = True
    stage.rise(built, "0.2.0")
    stage.install()
    assert not any("upgrade" in line for line in stage.kibana.writes())
    assert set(told(stage.plan()).values()) == {"keep: up to date"}


def test_the_policies_stay_at_home(stage: Stage) -> None:
    stage.install()
    stage.stack.spaces["aaa"] = "A"
    stage.wish = settled(stage.cluster, replace(stage.wish, spaces=("aaa", "default"), home=""), installed=False)
    assert told(stage.plan()) == {
        "package *": "keep: up to date",
        "dashboards aaa": "create: missing",
        "dashboards default": "keep: up to date",
        "agent_policy default": "keep: up to date",
        "package_policy default": "keep: up to date",
    }
    stage.install()
    fresh = settled(stage.cluster, replace(stage.wish, policy="x", spaces=("default",), home=""), installed=True)
    assert (fresh.policy, fresh.home, set(fresh.spaces)) == ("local-llm", "default", {"aaa", "default"})
    named = settled(stage.cluster, replace(stage.wish, policy="x"), installed=True, spaces=("aaa",))
    assert (named.policy, named.spaces) == ("local-llm", ("aaa",))


def test_one_of_several_policies_is_named(stage: Stage) -> None:
    stage.install()
    stage.wish = replace(stage.wish, policy="second")
    stage.install()
    assert settled(stage.cluster, stage.wish, installed=True, policy="local-llm").policy == "local-llm"
    assert settled(stage.cluster, stage.wish, installed=True, policy="second").policy == "second"
    with pytest.raises(UsageError, match="--policy: 'third' was not installed") as refused:
        settled(stage.cluster, stage.wish, installed=True, policy="third")
    assert refused.value.hint == "There are: local-llm, second."


def test_a_new_version_keeps_edits(stage: Stage, built: Built) -> None:
    stage.install()
    edit(stage, "processors", "- drop_event: {}")
    for version in ("0.2.0", "0.3.0"):
        stage.rise(built, version)
        assert "its values stay (edited by hand)" in told(stage.plan())["package_policy default"]
        stage.install()
        assert stage.stack.package_policies["local-llm"]["package"]["version"] == version
        assert variables(stage, "proxy_access")["processors"] == "- drop_event: {}"
    assert told(stage.plan())["package_policy default"] == "keep: edited by hand"


def test_an_older_version_is_refused(stage: Stage, built: Built) -> None:
    stage.rise(built, "0.10.0")
    stage.install()
    stage.wish = replace(stage.wish, version="0.9.0")
    with pytest.raises(RefusedError, match=r"local_llm 0\.10\.0, which is newer than ours, 0\.9\.0") as caught:
        stage.plan()
    assert "older version" in caught.value.hint


def test_what_others_made(stage: Stage, built: Built) -> None:
    package = parse(built.data)
    package.spaces["default"] = []
    stage.stack.packages["local_llm"] = package
    stage.stack.agent_policies["local-llm"] = {
        "id": "local-llm",
        "name": "Theirs",
        "namespace": "default",
        "revision": 1,
    }
    assert told(stage.plan())["package *"] == "keep: there already, not by us, in the same version"
    assert told(stage.plan())["agent_policy default"] == "keep: there already, not by us"
    assert [one.kind for one in stage.install()] == ["fleet_package_policy"]
    assert [one.kind for one in stage.part().plan_removal()] == ["fleet_package_policy"]
    package.source = "registry"
    with pytest.raises(RefusedError, match="came from elsewhere \\(registry\\)"):
        stage.plan()


WRITES = 4
"""Of a first run into two spaces: the package, the second space, two policies."""


@pytest.mark.parametrize("after", range(1, WRITES + 1))
@pytest.mark.parametrize("done", [True, False])
def test_cut_anywhere_and_run_again(stage: Stage, after: int, done: bool) -> None:
    """The connection breaks at a write, before or after it was ``done``; the next run makes it whole."""
    stage.stack.spaces["soc"] = "SOC"
    stage.wish = replace(stage.wish, spaces=("default", "soc"), home="")
    stage.kibana.cut = Cut(after, done)
    with pytest.raises(UnreachableError, match=r"In are \d of 5 changes.*; not in: ") as caught:
        stage.install()
    assert "goes on from there" in caught.value.hint
    stage.kibana.cut = None
    stage.install()
    assert set(told(stage.plan()).values()) == {"keep: up to date"}
    assert len(stage.stack.package_policies) == len(stage.stack.agent_policies) == 1
    assert len(stage.stack.ids("soc", "dashboard")) == len(stage.stack.ids("default", "dashboard")) > 0


def test_busy_is_waited_out(stage: Stage) -> None:
    stage.stack.upload_pause = 10
    stage.install()
    assert stage.slept == []
    stage.wish = replace(stage.wish, data=stage.wish.data + b"")
    stage.part().fleet.upload(stage.wish.data, "default")
    assert stage.slept == [10.0]
    stage.kibana.fault = lambda method, path: Answer({"message": "busy"}, 429, headers={"Retry-After": "900"})
    with pytest.raises(RefusedError, match="429: busy"):
        stage.plan()
    assert stage.slept == [10.0]


def test_the_answer_that_came_too_late(stage: Stage) -> None:
    stage.kibana.fault = lambda method, path: Answer(data=b"<html>", kind="text/html")
    with pytest.raises(UnreachableError, match="expected JSON from Kibana"):
        stage.plan()


def test_where_there_is_no_fleet(stage: Stage) -> None:
    stage.part().require()
    stage.stack.logins["ApiKey bGVzczpsZXNzbGVzc2xlc3M="] = frozenset({"saved:save"})
    with pytest.raises(RefusedError, match="lacks Fleet's privileges") as caught:
        stage.part("bGVzczpsZXNzbGVzc2xlc3M=").require()
    assert "assets role --fleet" in caught.value.hint
    stage.stack.secure = False
    with pytest.raises(RefusedError, match="no security, which Fleet needs"):
        stage.part().require()
    stage.kibana.fault = lambda method, path: Answer({"message": "Not Found"}, 404)
    with pytest.raises(RefusedError, match=r"this Kibana has no Fleet \(xpack.fleet.enabled: false\)"):
        stage.part().require()


def test_a_version_that_is_not_finished(stage: Stage, built: Built) -> None:
    stage.install()
    data = of_version(built, "0.1.0")
    assert data == built.data
    stage.wish = replace(stage.wish, data=data + b"\0")
    assert told(stage.plan())["package *"] == "update: other content"
