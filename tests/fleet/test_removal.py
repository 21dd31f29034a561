"""Taking away from Fleet what we put there, and nothing that others need."""

from __future__ import annotations

from dataclasses import replace

from kibana_assets.fleet.enrol import enrolment
from kibana_assets.fleet.part import FleetPart
from kibana_assets.install.plan import Change
from kibana_assets.install.uninstall import uninstall
from tests.fleet.conftest import Stage


def remove(part: FleetPart) -> tuple[Change, ...]:
    changes = part.plan_removal()
    uninstall(changes, part.cluster, "0.1.0", kibana=part)
    return changes


def test_removal(stage: Stage) -> None:
    stage.stack.spaces["soc"] = "SOC"
    stage.wish = replace(stage.wish, spaces=("default", "soc"), home="")
    stage.install()
    part = stage.part()
    remove(part)
    assert part.left == []
    assert stage.stack.packages == stage.stack.agent_policies == stage.stack.package_policies == {}
    assert stage.stack.ids("soc", "dashboard") == []
    assert part.state().record.entries == {}
    assert part.plan_removal() == ()


def test_removal_leaves_what_is_needed(stage: Stage) -> None:
    stage.install()
    ours = stage.stack.package_policies["local-llm"]
    for number in range(120):
        elsewhere = {**ours, "id": f"{number}", "name": f"{number}", "policy_ids": [], "package": {"name": "nginx"}}
        stage.stack.package_policies[f"{number}"] = elsewhere
    stage.stack.package_policies["theirs"] = {**ours, "id": "theirs", "name": "Theirs"}
    enrolment(stage.part().fleet, "local-llm", "default")
    stage.stack.agents["local-llm"] = 1
    part = stage.part()
    changes = part.plan_removal()
    assert {one.kind: one.reason for one in changes if one.action == "keep"} == {
        "fleet_package": "package policies of others need it: theirs"
    }
    assert remove(part) == changes
    assert [one.change.kind for one in part.left] == ["fleet_agent_policy"]
    assert "any active or inactive agents" in part.left[0].reason
    assert "local-llm" not in stage.stack.package_policies
    assert [one["active"] for one in stage.stack.enrolment_keys.values()] == [True, False]
    del stage.stack.package_policies["theirs"]
    stage.stack.agents.clear()
    remove(part)
    assert stage.stack.packages == {}
